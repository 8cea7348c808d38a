{#- Days or hours (`bucket`) of the window, a variable of so many days, in which the model's executions
    and successes are not those of fct_executions; `only` says which of these it is of. -#}
{% test adds_up_to_executions(model, bucket, window, executions, successes, only='true') %}
    with

    wanted as (
        select
            {{ bucket_of(bucket) }} as bucket,
            count(*) as execution_count,
            count(*) filter (success) as success_count
        from {{ ref('fct_executions') }}
        where {{ within_window(bucket, var(window)) }} and {{ only }}
        group by bucket
    ),

    built as (
        select
            {{ bucket_column(bucket) }} as bucket,
            sum({{ executions }}) as execution_count,
            sum({{ successes }}) as success_count
        from {{ model }}
        where {{ bucket_column(bucket) }} >= {{ window_start(bucket, var(window)) }}
        group by bucket
    )

    select
        bucket,
        wanted.execution_count as wanted_execution_count,
        built.execution_count,
        wanted.success_count as wanted_success_count,
        built.success_count
    from wanted
    full join built using (bucket)
    where
        wanted.execution_count is distinct from built.execution_count
        or wanted.success_count is distinct from built.success_count
{% endtest %}
