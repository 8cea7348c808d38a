{#- What an attempt did otherwise than the failure before it. -#}


{#- What an attempt changed against the failure: nothing, or the tier (up or down; another tier where one
    of them has no place), else the model within it; and the pool. NULL of no attempt. -#}
{% macro change_to(attempt) -%}
    case
        when {{ attempt }}.task_id is not null then coalesce(
            nullif(concat_ws(
                ' and ',
                case
                    when {{ attempt }}.model_tier = failures.model_tier
                        then case
                            when {{ attempt }}._model is distinct from failures._model then 'model'
                        end
                    when {{ tier_rank(attempt ~ '.model_tier') }} > {{ tier_rank('failures.model_tier') }} then 'tier up'
                    when {{ tier_rank(attempt ~ '.model_tier') }} < {{ tier_rank('failures.model_tier') }} then 'tier down'
                    else 'another tier'
                end,
                case when {{ attempt }}.pool_type != failures.pool_type then 'pool' end
            ), ''),
            'nothing'
        )
    end
{%- endmacro %}


{#- The place of a tier among those of known size; NULL of another. -#}
{% macro tier_rank(model_tier) -%}
    nullif(coalesce(list_position(['small', 'medium', 'large'], {{ model_tier }}), 0), 0)
{%- endmacro %}
