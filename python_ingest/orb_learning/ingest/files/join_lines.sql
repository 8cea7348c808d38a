-- file_joined: one row a record, its lines joined where a field has newlines.
--
-- Parameters: the line that the next block begins with (end), and the pattern of a record (whole).
create or replace temp table file_joined as
with numbered as (
    select * from file_numbered where number < $end
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
    any_value(problem) as problem
from numbered
left join good using (row_number)
where good.record is not null or regexp_matches(line, '[^ \t\r]')
group by all
order by row_number
