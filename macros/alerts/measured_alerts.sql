{#- What each alert is measured as: its value, over how many rows, whether those are enough, and a
    sentence. `now` is the moment, an SQL expression. -#}
{% macro measured_alerts(now) -%}
{%- set enough = "{} >= " ~ setting('min_samples_for_learning', '10') -%}
{%- set runs, share = shown_count('sample_count', 'execution'), shown_rate('value / 100') -%}
{%- set rate_of_runs = share ~ ", " ~ runs ~ ", " ~ shown_count('task_count', 'task') -%}
{%- set findings = {
    'success_rate': "'{} of the last hour''s {} of {} succeeded', " ~ rate_of_runs,
    'daily_success_rate': "'{} of the last 24 hours'' {} of {} succeeded', " ~ rate_of_runs,
    'error_rate': "'{} of the last hour''s {} of {} failed', " ~ rate_of_runs,
    'avg_duration':
        "'the last hour''s {} took {} on average', " ~ runs ~ ", " ~ shown_duration('value'),
    'hourly_cost': "'the last hour''s {} of known cost took {}', " ~ runs ~ ", " ~ shown_money('value'),
    'daily_quality': "'the quality of the last 24 hours'' {} was {:.1f} on average', "
        ~ shown_count('sample_count', 'score') ~ ", value",
    'daily_cost':
        "'the last 24 hours'' {} of known cost took {}', " ~ runs ~ ", " ~ shown_money('value'),
    'routing_confidence': "'the confidence of the last 24 hours'' {} was {} on average', "
        ~ shown_count('sample_count', 'choice') ~ ", " ~ share
} -%}
{%- set drop = "100 * least_drop" -%}
{{ measured_alert('no_executions', 'everything', 'total_executions::double', 'total_executions', """
    case
        when total_executions = 0 then 'No execution records found - database is empty'
        else 'the database holds ' || """ ~ shown_count('total_executions', 'execution') ~ """
    end
""", assigned='0') }}
union all
{{ measured_alert('silence', 'loaded', 'epoch(' ~ now ~ ' - newest) / 3600', 'version_count', """
    format('the newest execution that was loaded started {} ago', """ ~ shown_duration('3600 * value') ~ """)
""", assigned='(select assigned_time_count from everything)') }}
union all
{{ measured_alert('build_age', '(select ' ~ built_at() ~ ' as built_at)', 'greatest(epoch(' ~ now ~ ' - built_at), 0) / 3600', 'null', """
    format('the figures are those of the last build, {} ago', """ ~ shown_duration('3600 * value') ~ """)
""", assigned='0') }}
union all
{% for name, (bucket, value, samples, needed) in bucketed_alerts().items() -%}
{{ measured_alert(
    name, 'last_' ~ bucket, '(' ~ value ~ ')::double', samples, 'format(' ~ findings[name] ~ ')',
    enough.format(needed) if needed else 'true'
) }}
union all
{% endfor -%}
{{ measured_alert('database_size', 'database_file', 'size_mb', 'null', """
    format('the database holds {:.1f} MB', size_mb)
""", assigned='0') }}
union all
{{ measured_alert('success_drop', 'all_tiers', drop, 'recent_count', drop_finding(),
    enough.format('least(past_tasks, recent_tasks)')) }}
union all
{{ measured_alert('tier_drop', 'tiers', drop, 'recent_count', drop_finding(),
    enough.format('least(past_tasks, recent_tasks)'), 'model_tier') }}
{%- endmacro %}


{#- How a success rate lies to its own past, as a sentence. -#}
{% macro drop_finding() -%}
    format(
        '{} of the last 24 hours'' {} of {} succeeded, after {} of {:,} of {:,} in the 30 days before: ',
        {{ shown_rate('recent_successes / nullif(recent_count, 0)') }},
        {{ shown_count('recent_count', 'execution') }}, {{ shown_count('recent_tasks', 'task') }},
        {{ shown_rate('past_successes / nullif(past_count, 0)') }}, past_count, past_tasks
    )
    || case
        when value > 0 then format('a drop of at least {:.1f} points, 95 % sure', value)
        else 'no drop that so many show'
    end
{%- endmacro %}
