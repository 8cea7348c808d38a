{#- Named indexes, made by post-hooks: dbt's own `indexes:` get hashed names and come only with a full
    refresh. docs/indexes.md says what DuckDB does with them. -#}


{#- What stands for `create index … include`: the lookup key first, then the columns that are read. -#}
{% macro covering_index(lookup_key, read_columns) %}
    {%- if on_lake() -%}{{ return('') }}{%- endif %}
    create index if not exists idx_{{ this.identifier }}_covering
    on {{ this }} ({{ (lookup_key + read_columns) | join(', ') }})
{% endmacro %}


{#- The composite indexes on fct_executions, where the variable of that name is true. -#}
{% macro composite_indexes() %}
    {%- if on_lake() -%}
        {%- if var('composite_indexes') -%}
            {{ exceptions.raise_compiler_error('composite_indexes is not done on a lake; it has no indexes') }}
        {%- endif -%}
        {{ return('') }}
    {%- endif -%}
    {%- set indexes = {
        'repo_task': 'repo, task_type, timestamp',
        'tier_success': 'model_tier, success, timestamp',
        'pool_duration': 'pool_type, success, duration_seconds',
        'quality_trend': 'repo, quality_score, timestamp',
        'timestamp': 'timestamp',
        'tier_covering': 'model_tier, repo, timestamp, success, duration_seconds, quality_score, actual_cost',
        'outcome': 'success, timestamp',
    } -%}
    {%- for name, columns in indexes.items() %}
        {%- if var('composite_indexes') %}
            create index if not exists idx_executions_{{ name }} on {{ this }} ({{ columns }});
        {%- else %}
            drop index if exists {{ this.schema }}.idx_executions_{{ name }};
        {%- endif %}
    {%- endfor %}
{% endmacro %}
