-- file_numbered: one row a line, with the first line of the record that it belongs to.
--
-- Whether a quoted field is open at a line's end depends on whether one was open at its start: the
-- line opens and closes by itself (fixed), or leaves it as it was, or inverts it. Parameters: the
-- line that the rows begin after (begin_after), and the patterns of a line that opens a quoted field
-- (opens), ends inside the one that it began in (stays), closes that and opens another (reopens).
create or replace temp table file_numbered as
with lines as (
    select number, line, problem,
        contains(line, '"') and regexp_full_match(line, $opens) as open_after_closed,
        not contains(line, '"') or regexp_full_match(line, $stays)
            or regexp_full_match(line, $reopens) as open_after_open
    from file_lines
    where number > $begin_after
),
turns as (
    select *,
        case when open_after_closed = open_after_open then open_after_closed end as fixed,
        -- a running count(*) with a filter takes time in the square of the lines
        sum((open_after_closed and not open_after_open)::integer)
            over (order by number rows unbounded preceding) as turned
    from lines
),
ends as (
    select *,
        coalesce(last_value(fixed ignore nulls) over upto, false) <> (
            (turned - coalesce(last_value(
                case when fixed is not null then turned end ignore nulls
            ) over upto, 0)) % 2 = 1
        ) as open_after
    from turns
    window upto as (order by number rows unbounded preceding)
),
starts as (
    select *, not coalesce(lag(open_after) over (order by number), false) as begins
    from ends
)

select *,
    max(case when begins then number end)
        over (order by number rows unbounded preceding) as row_number
from starts
