{#- Days of int_solution_days that are not as solution_patterns_mv was built from them. -#}
{% macro changed_solution_days() -%}
    {{ changed_buckets(built_buckets(ref('int_solution_days'), 'date'), 'date') }}
{%- endmacro %}


{#- Patterns as they are, of the last build, in whose time of use a changed day lies. -#}
{% macro patterns_used_on_changed_days() -%}
    select _pattern_id
    from {{ this }}
    where exists (
        select bucket from ({{ changed_solution_days() }})
        where bucket between first_seen::date and last_seen::date
    )
{%- endmacro %}


{#- Pre-hook of solution_patterns_mv: deletes the patterns that are used too little now. -#}
{% macro delete_lost_patterns() %}
    {%- if is_incremental() %}
    delete from {{ this }}
    where
        _pattern_id in ({{ patterns_used_on_changed_days() }})
        and _pattern_id not in (
            select _pattern_id from {{ ref('int_solution_days') }}
            group by _pattern_id
            having sum(usage_count) >= {{ var('solution_min_usage') }}
        )
    {%- endif %}
{% endmacro %}
