-- One row is a value that the page can show by itself: a choice of a filter, or a task type.
{% for column in page_places() %}
select
    '{{ column }}' as column_name,
    place,
    {{ shown_text('choice') }} as choice,
    total_executions
from ({{ page_choices(column) }})
{{ 'union all' if not loop.last }}
{% endfor %}
