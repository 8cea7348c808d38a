{#- What one alert is measured as: its sentence is bound of the value, not of what that is made of. -#}
{% macro measured_alert(
    alert_name, source, value, sample_count, finding, enough='true', model_tier='null::varchar',
    assigned='assigned_time_count'
) -%}
    select
        '{{ alert_name }}' as alert_name,
        {{ model_tier }} as model_tier,
        value,
        sample_count,
        {{ enough }} as has_enough_samples,
        {{ finding | trim }} as finding,
        {{ assigned }} as assigned_time_count
    from (
        select
            *,
            {{ value }} as value,
            {{ sample_count }} as sample_count
        from {{ source }}
    ) as measured
{%- endmacro %}


{#- What was found and what it is compared with, as a sentence, and how far the times say when it was. -#}
{% macro alert_message() -%}
    case
        when value is null then 'nothing to judge by'
        when unit = 'executions' then finding
        when not has_enough_samples
            then format(
                '{}; too few {}to judge by, at least {{ setting('min_samples_for_learning', '10') }} are',
                finding,
                case
                    when ends_with(alert_name, '_rate') or ends_with(alert_name, '_drop') then 'tasks '
                    else ''
                end
            )
        when is_always_so
            then format(
                '{}; always so, and not raised: {:,} of {:,} {} of the last 28 days {} {:g} {}',
                finding, broken_count, judged_count, buckets,
                case
                    when raised_when = 'reached' then 'reached'
                    else 'were ' || raised_when
                end, threshold, unit
            )
        else format(
            '{}; raised {} {:g} {}',
            finding,
            case when raised_when = 'reached' then 'from' else raised_when end,
            threshold,
            case when threshold = 1 then rtrim(unit, 's') else unit end
        )
    end
    || case
        when assigned_time_count > 0 and value is not null
            then format('; {:,} of those times were assigned, not recorded', assigned_time_count)
        else ''
    end
{%- endmacro %}
