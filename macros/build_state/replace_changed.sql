{#-
  The incremental strategy `replace_changed`: what the model's SQL returned replaces the target's rows
  of the same unique_key. A key that has no rows any more comes as a row of NULLs beside its key (a
  left join from the changed keys gives that) and is only deleted. `meta.never_null` names a column
  that every real row has.
-#}
{% macro get_incremental_replace_changed_sql(arg_dict) %}
    {%- set target_relation = arg_dict['target_relation'] -%}
    {%- set changed = arg_dict['temp_relation'] -%}
    {%- set keys = arg_dict['unique_key'] -%}
    {%- set keys = [keys] if keys is string else keys -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ target_relation }} as stored
    using (select distinct {{ keys | join(', ') }} from {{ changed }}) as changed
    where {% for key in keys %}stored.{{ key }} = changed.{{ key }}{{ ' and ' if not loop.last }}{% endfor %};

    insert into {{ target_relation }} ({{ columns }})
    select {{ columns }}
    from {{ changed }}
    where {{ config.get('meta').never_null }} is not null
{% endmacro %}
