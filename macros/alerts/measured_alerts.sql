{#- What each alert is measured as: its value, over how many rows, whether those are enough, and a
    sentence. `now` is the moment, an SQL expression. -#}
{% macro measured_alerts(now) -%}
{%- set enough = "{} >= " ~ setting('min_samples_for_learning', '10') -%}
{%- set failed_share = "100.0 * (total_executions - successful_count) / nullif(total_executions, 0)" -%}
{%- set share = "100.0 * successful_count / nullif(total_executions, 0)" -%}
{%- set drop = "100 * " ~ least_drop('past_successes', 'past_count', 'recent_successes', 'recent_count') -%}
{{ measured_alert('no_executions', 'everything', 'total_executions::double', 'total_executions', """
    if(
        total_executions = 0,
        'No execution records found - database is empty',
        format('{:,} executions are in the database', total_executions)
    )
""") }}
union all
{{ measured_alert('silence', 'loaded', 'epoch(' ~ now ~ ' - newest) / 3600', 'version_count', """
    format('the newest execution that was loaded started {:.1f} hours ago', value)
""") }}
union all
{{ measured_alert('build_age', '(select 1)', 'greatest(epoch(' ~ now ~ ' - ' ~ built_at() ~ '), 0) / 3600', 'null', """
    format('the figures are those of the last build, {:.1f} hours ago', value)
""") }}
union all
{{ measured_alert('success_rate', 'last_hour', share, 'total_executions', """
    format('{:.1f} % of the last hour''s {:,} executions succeeded', value, sample_count)
""", enough.format('total_executions')) }}
union all
{{ measured_alert('daily_success_rate', 'last_day', share, 'total_executions', """
    format('{:.1f} % of the last 24 hours'' {:,} executions succeeded', value, sample_count)
""", enough.format('total_executions')) }}
union all
{{ measured_alert('error_rate', 'last_hour', failed_share, 'total_executions', """
    format('{:.1f} % of the last hour''s {:,} executions failed', value, sample_count)
""", enough.format('total_executions')) }}
union all
{{ measured_alert('avg_duration', 'last_hour', 'avg_duration', 'duration_known_count', """
    format('the last hour''s {:,} executions took {:.1f} s on average', sample_count, value)
""", enough.format('duration_known_count')) }}
union all
{{ measured_alert('hourly_cost', 'last_hour', 'total_cost', 'cost_known_count', """
    format('the last hour''s {:,} executions of known cost took ${:.2f}', sample_count, value)
""") }}
union all
{{ measured_alert('database_size', 'database_file', 'size_mb', 'null', """
    format('the database holds {:.1f} MB', size_mb)
""") }}
union all
{{ measured_alert('tier_drop', 'tiers', drop, 'recent_count', """
    format(
        '{:.1f} % of the last 24 hours'' {:,} executions succeeded, after {:.1f} % of {:,} in '
        'the 30 days before: ',
        100.0 * recent_successes / nullif(recent_count, 0), recent_count,
        100.0 * past_successes / nullif(past_count, 0), past_count
    )
    || if(
        value > 0,
        format('a drop of at least {:.1f} points, 95 % sure', value),
        'no drop that so many show'
    )
""", enough.format('least(past_count, recent_count)'), 'model_tier') }}
{%- endmacro %}
