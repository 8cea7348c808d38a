-- file_joined: one row a record, its lines joined where a field has newlines.
--
-- Whether a quoted field is open at a line's end depends on whether one was open at its start: the
-- line opens and closes by itself (fixed), or leaves it as it was, or inverts it. Parameters: header
-- (the header's line), and the patterns of a line that opens a quoted field (opens), ends inside the
-- one that it began in (stays), closes that and opens another (reopens), and of a record (whole).
create or replace temp table file_joined as
with lines as (
    select number, line, is_utf8,
        contains(line, '"') and regexp_full_match(line, $opens) as open_after_closed,
        not contains(line, '"') or regexp_full_match(line, $stays)
            or regexp_full_match(line, $reopens) as open_after_open
    from file_lines
    where number > $header
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
),
numbered as (
    select *,
        max(case when begins then number end)
            over (order by number rows unbounded preceding) as row_number
    from starts
),
joined as (
    select row_number, string_agg(line, chr(10) order by number) as record
    from numbered
    where open_after or not begins
    group by row_number
    having not max_by(open_after, number)
),
good as (
    select * from joined where regexp_full_match(rtrim(record, chr(13)), $whole)
)
select
    case when good.record is null then number else row_number end as row_number,
    rtrim(coalesce(any_value(good.record), any_value(line)), chr(13)) as record,
    bool_and(is_utf8) as is_utf8
from numbered
left join good using (row_number)
where good.record is not null or regexp_matches(line, '[^ \t\r]')
group by all
order by row_number
