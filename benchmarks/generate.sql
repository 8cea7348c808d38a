-- Synthetic executions: one row an execution, in the order in which they would be loaded.
-- Every value is a hash of the row's number, a name for the draw and the seed, so a row is the
-- same whatever the number of threads, and nothing has to be kept in memory.
-- Variables: row_count, first_row, day_count, seed, until_time.

-- A draw from [0, 1): 53 bits of the hash.
create or replace temp macro draw(n, name) as
    (hash(n, name, getvariable('seed')) >> 11) / 9007199254740992.0;

create or replace temp macro pick(list, u) as list[1 + floor(u * len(list))::integer];

-- Few ranks are frequent and most are rare (Zipf, flattened at its head): 0 to size - 1.
create or replace temp macro zipf_rank(u, size) as
    floor(30.0 * (1.0 + size / 30.0) ** u - 30.0)::bigint;

create or replace temp macro normal(n, name) as
    sqrt(-2 * ln(1 - draw(n, name))) * cos(2 * pi() * draw(n, name || ' angle'));

-- Work has a rhythm, told as days since 1970: most of it at 14:00 UTC, and in the middle of the
-- week (day 0 was a Thursday). clock turns the share of the work that is done into the time.
create or replace temp macro weekly(u) as -0.35 * 7 / (2 * pi()) * sin(2 * pi() * (u - 6) / 7);
create or replace temp macro daily(u) as -0.55 / (2 * pi()) * sin(2 * pi() * (u - 14 / 24.0));
create or replace temp macro clock(u) as u + weekly(u) + daily(u + weekly(u));
-- Its inverse by fixed point: the slopes are at most 0.55, and 0.55^200 is nothing.
create or replace temp macro undo_daily(t) as
    list_reduce(range(200)::double[], lambda u, step: t - daily(u), t::double);
create or replace temp macro undo_weekly(t) as
    list_reduce(range(200)::double[], lambda u, step: t - weekly(u), t::double);
create or replace temp macro unclock(t) as undo_weekly(undo_daily(t));

create or replace temp macro days_since_1970(t) as epoch_us(t) / 86400e6;

-- The parts of a program that tasks and solutions are about.
create or replace temp macro parts() as [
    'retry logic', 'cache invalidation', 'rate limiter', 'login flow', 'session store',
    'CSV export', 'JSON parser', 'date handling', 'currency rounding', 'pagination',
    'search filters', 'webhook delivery', 'job queue', 'connection pool', 'file upload',
    'image thumbnails', 'permission checks', 'audit trail', 'config loader',
    'feature flags', 'database migration', 'health check', 'metrics export',
    'log rotation', 'error messages', 'form validation', 'address lookup',
    'tax calculation', 'invoice numbers', 'email digest', 'push notifications',
    'token refresh', 'password reset', 'batch import', 'delta sync', 'schema registry',
    'dead-letter handling', 'back-pressure', 'circuit breaker', 'locale fallback'
];

-- The rules that reject a row, by their names in dbt_project.yml.
create or replace temp macro rules() as [
    'timestamp_missing',
    'task_missing',
    'success_missing',
    'file_count_out_of_range',
    'estimated_tokens_out_of_range',
    'routing_confidence_out_of_range',
    'complexity_score_out_of_range',
    'duration_seconds_out_of_range',
    'quality_score_out_of_range',
    'cost_estimate_out_of_range',
    'actual_cost_out_of_range',
    'user_rating_out_of_range',
    'peak_memory_mb_out_of_range',
    'cpu_time_seconds_out_of_range',
    'swarm_topology_unknown',
    'error_type_unknown',
    'timestamp_in_the_future',
    'embedding_of_another_length'
];
create or replace temp macro blank(u) as pick([null, '', '  '], u);

create or replace temp view generated_executions as
with bounds as (
    select
        unclock(days_since_1970(getvariable('until_time')) - getvariable('day_count')) as begins,
        unclock(days_since_1970(getvariable('until_time'))) as ends,
),

numbered as (
    select
        range as n,
        draw(n, 'corrects') < 0.005 as may_correct,
        -- A correction comes within about a week of what it corrects.
        n - floor(
            least(n, 7 * getvariable('row_count') / getvariable('day_count'))
            ** draw(n, 'how far back')
        )::bigint as earlier,
    from range(
        getvariable('first_row')::bigint,
        (getvariable('first_row') + getvariable('row_count'))::bigint
    )
),

-- origin is the row whose execution this is: itself, or the earlier one that it corrects.
-- What may itself be a correction is never corrected: its task_id is another row's.
origins as (
    select
        n,
        may_correct and earlier >= 0 and earlier < n and draw(earlier, 'corrects') >= 0.005
            as is_correction,
        if(is_correction, earlier, n) as origin,
        if(is_correction, draw(n, 'change'), 1) as change,
        -- Of every 5,000 rows each rule has one that breaks it, and these lie apart.
        (n + (hash(getvariable('seed')) % 5000)::bigint) % 5000 as slot,
        5000 // len(rules()) as apart,
        if(slot % apart = 0, rules()[slot // apart + 1], null) as broken_rule,
        draw(n, 'variant') as variant,
    from numbered
),

timed as (
    select
        * exclude (slot, apart),
        -- Late by 5 minutes to 2 days, half of them by less than 2 hours.
        if(draw(origin, 'late') < 0.01, 5 * 576 ** draw(origin, 'delay'), 0) as late_minutes,
        -- A correction may move the execution to another hour or day.
        case
            when change < 0.15 then 60 + floor(draw(n, 'hours') * 240)
            when change < 0.25 then 1440 * (1 + floor(draw(n, 'days') * 2))
            else 0
        end as moved_minutes,
        make_timestamp((
            86400e6 * clock(
                begins
                + (origin - getvariable('first_row')) / getvariable('row_count') * (ends - begins)
            ) - 60e6 * (late_minutes + moved_minutes)
        )::bigint) as started,
        zipf_rank(
            draw(origin, 'task'),
            1 + (getvariable('first_row') + getvariable('row_count')) / 17.0
        ) as task,
    from origins
    cross join bounds
),

-- What the task's text says belongs to the task: its type, its repo, how hard it is.
tasks as (
    select
        *,
        draw(task, 'type') as type_draw,
        case
            when type_draw < 0.30 then 'bugfix'
            when type_draw < 0.55 then 'feature'
            when type_draw < 0.73 then 'refactor'
            when type_draw < 0.88 then 'test'
            else 'docs'
        end as task_type,
        floor(40 * draw(if(change between 0.25 and 0.40, n, task), 'repo') ** 2.2)::integer
            as repo_number,
        greatest(0, least(100, round(
            52 * (draw(task, 'hard') + draw(task, 'harder')) - 4
            + case task_type when 'docs' then -15 when 'feature' then 8 else 0 end
            + 8 * (draw(origin, 'judged') - 0.5)
        )))::integer as complexity,
    from timed
),

routed as (
    select
        *,
        pick([
            'payments-api', 'web-frontend', 'data-pipeline', 'auth-service', 'mobile-app',
            'search-index', 'billing', 'notifications', 'infra-terraform', 'orchestrator',
            'design-system', 'feature-store', 'gateway', 'inventory', 'reporting', 'admin-console',
            'event-bus', 'ml-training', 'recommendations', 'crm-sync', 'audit-log', 'scheduler',
            'file-storage', 'image-resizer', 'email-templates', 'identity', 'pricing', 'checkout',
            'shipping', 'loyalty', 'chat-widget', 'docs-site', 'sdk-python', 'sdk-typescript',
            'cli-tools', 'load-tests', 'fraud-detection', 'warehouse-models', 'translations',
            'sandbox'
        ], repo_number / 40.0) as repo,
        complexity + 50 * (draw(origin, 'routing') - 0.5) as routing_score,
        (case
            when routing_score < 42 then 0 when routing_score < 68 then 1 else 2
        end + if(change between 0.40 and 0.60, 1, 0)) % 3 as tier_number,
        draw(origin, 'pool') as pool_draw,
        case
            when pool_draw < 0.50 then 'mahavishnu'
            when pool_draw < 0.75 then 'session-buddy'
            when pool_draw < 0.90 then 'kubernetes'
            else 'runpod'
        end as pool_type,
        1 + floor(draw(origin, 'worker') * 24)::integer as worker,
        greatest(200, round(exp(
            7.2 + 2.2 * complexity / 100.0 + 0.7 * normal(origin, 'tokens')
        )))::integer as estimated_tokens,
        greatest(100, round(estimated_tokens * exp(0.35 * normal(n, 'spent'))))::integer as tokens,
    from tasks
),

finished as (
    select
        *,
        -- A larger model fails less often at the same task, yet gets the harder ones.
        draw(n, 'outcome')
        >= 0.03 + 0.45 * (complexity / 100.0) ** 1.7 * (1.15 - 0.2 * tier_number)
            as success,
        round(exp(
            1.6 + 2.6 * complexity / 100.0 + 0.9 * normal(n, 'duration')
            - if(pool_type = 'session-buddy', 0.3, 0)
        ), 3) as duration_seconds,
        [0.9, 6.0, 30.0][tier_number + 1] / 1e6 as dollars_a_token,
        draw(n, 'error') as error_draw,
        case
            when if(success, error_draw >= 0.004, error_draw >= 0.94) then null
            when success or draw(n, 'error type') < 0.30 then 'timeout'
            when draw(n, 'error type') < 0.60 then 'quality_gate'
            when draw(n, 'error type') < 0.80 then 'validation'
            when draw(n, 'error type') < 0.92 then 'crash'
            else 'unknown'
        end as error_type,
        if(
            draw(n, 'scored') < 0.12,
            null,
            if(
                success,
                100 - round(45 * draw(n, 'score') ** 1.6),
                60 - round(55 * draw(n, 'score'))
            )
        )::integer as quality_score,
        draw(n, 'feedback') < 0.12 as has_feedback,
        draw(n, 'measured') < 0.70 as is_measured,
    from routed
),

described as (
    select
        *,
        hash(task, 'words', getvariable('seed')) as words,
        pick(
            case task_type
                when 'bugfix' then ['Fix', 'Debug', 'Find the cause of', 'Stop', 'Repair']
                when 'feature' then ['Add', 'Implement', 'Build', 'Support', 'Introduce']
                when 'refactor' then ['Refactor', 'Simplify', 'Extract', 'Split up', 'Untangle']
                when 'test' then ['Write tests for', 'Cover', 'Add regression tests for',
                    'Make deterministic', 'Test']
                else ['Document', 'Explain', 'Write a guide to', 'Update the docs of', 'Describe']
            end,
            draw(task, 'verb')
        )
        || ' the '
        || pick(parts(), draw(task, 'part'))
        || pick([
            '', ' in the API layer', ' in the worker', ' in the CLI', ' for large accounts',
            ' under load', ' after the last release', ' on slow networks', ' in the admin pages',
            ' for archived records', ' when the cache is cold', ' across time zones',
            ' with empty input', ' behind the proxy', ' during deploys', ' for guest users'
        ], draw(task, 'place'))
        || ' of ' || repo
        || if(draw(task, 'ticket') < 0.6, ' (#' || (words % 90000 + 100) || ')', '')
            as task_description,
        pick([
            'Moved the check to the boundary', 'Replaced the hand-written loop by a query',
            'Made the operation idempotent', 'Added a bounded retry with jitter',
            'Parsed the value once and passed it on', 'Closed the connection in a finally block',
            'Used UTC throughout', 'Added an index on the lookup key',
            'Split the function in three', 'Replaced the global by a parameter',
            'Validated the input before the write',
            'Wrote a property-based test', 'Pinned the dependency', 'Added the missing await',
            'Batched the writes', 'Took the lock in a fixed order', 'Returned early on empty input',
            'Rounded only at the end', 'Escaped the user''s text', 'Cached the compiled template'
        ], draw(solution, task_type || ' change'))
        || pick([
            '', ' and added a regression test', ' and documented the reason',
            ' and removed the dead branch', ' and logged what was skipped',
            ' and kept the old name as an alias', ' and measured it', ' and migrated the callers',
            ' and narrowed the types', ' and raised the timeout to the real limit'
        ], draw(solution, task_type || ' addition'))
        || ' for the ' || pick(parts(), draw(solution, task_type || ' part'))
        || pick([
            '', ' in the service layer', ' in the client', ' in the scheduler', ' in the parser',
            ' in the storage module', ' in the middleware', ' in the fixtures', ' in the build',
            ' in the serializer', ' in the router', ' in the exporter'
        ], draw(solution, task_type || ' where'))
            as solution_text,
        pick([
            'claude-haiku-4-5', 'gpt-5-mini', 'gemini-2.5-flash',
            'claude-sonnet-4-20250514', 'gpt-5', 'gemini-2.5-pro',
            'claude-opus-4-1-20250805', 'claude-opus-4-1-20250805', 'gpt-4'
        ], (tier_number + draw(origin, 'model')) / 3) as model,
        pool_type || '-' || (1 + worker % 4) as pool_id,
    from (
        select
            *,
            zipf_rank(
                draw(n, 'solution'),
                10 + 0.9 * sqrt(getvariable('first_row') + getvariable('row_count'))
            ) as solution,
        from finished
    )
)

select
    md5(concat_ws(':', getvariable('seed'), origin))::uuid as task_id,
    case broken_rule
        when 'timestamp_missing' then null
        when 'timestamp_in_the_future' then started + interval 40 years
        else started
    end as "timestamp",
    if(broken_rule = 'task_missing', blank(variant), task_type) as task_type,
    if(
        broken_rule = 'task_missing',
        blank(variant),
        task_description
    ) as task_description,
    repo,
    if(
        broken_rule = 'file_count_out_of_range',
        -1,
        1 + floor(24 * draw(task, 'files') ** 3)::integer
    )::bigint as file_count,
    if(
        broken_rule = 'estimated_tokens_out_of_range',
        -estimated_tokens,
        estimated_tokens
    )::bigint as estimated_tokens,
    ['small', 'medium', 'large'][tier_number + 1] as model_tier,
    pool_type,
    case
        when broken_rule = 'swarm_topology_unknown' then 'ring'
        when draw(origin, 'swarm') < 0.45
            then pick(
                ['star', 'mesh', 'tree', 'hierarchical', 'flat', 'dynamic'],
                draw(origin, 'topology') ** 1.5
            )
    end as swarm_topology,
    case
        when broken_rule = 'routing_confidence_out_of_range' then pick([-0.2, 1.7], variant)
        when draw(origin, 'confident') < 0.9
            then round(0.98 - 0.5 * draw(origin, 'confidence') ** 2, 3)
    end::float as routing_confidence,
    if(
        broken_rule = 'complexity_score_out_of_range',
        pick([-5, 140], variant),
        complexity
    ) as complexity_score,
    if(broken_rule = 'success_missing', null, success) as success,
    if(
        broken_rule = 'duration_seconds_out_of_range',
        pick([-1.5, 'nan'::double, 'infinity'::double], variant),
        duration_seconds
    )::float as duration_seconds,
    if(
        broken_rule = 'quality_score_out_of_range',
        pick([-10, 250], variant),
        quality_score
    ) as quality_score,
    case
        when broken_rule = 'cost_estimate_out_of_range' then -0.01
        when draw(origin, 'estimated') < 0.95 then estimated_tokens * dollars_a_token
    end::float as cost_estimate,
    case
        when broken_rule = 'actual_cost_out_of_range' then -0.01
        when draw(n, 'billed') < 0.85 then tokens * dollars_a_token
    end::float as actual_cost,
    if(broken_rule = 'error_type_unknown', 'cosmic_ray', error_type) as error_type,
    case error_type
        when 'timeout' then 'timed out after ' || (60 * (1 + n % 10)) || ' s'
        when 'quality_gate' then 'quality gate: ' || (1 + n % 17) || ' checks failed'
        when 'validation' then 'validation error in the answer, field ' || (1 + n % 9)
        when 'crash' then 'worker exited with status ' || (128 + n % 16)
        when 'unknown' then 'no answer from the model'
    end as error_message,
    if(has_feedback, success and draw(n, 'accepted') < 0.93, null) as user_accepted,
    case
        when broken_rule = 'user_rating_out_of_range' then pick([0, 6], variant)
        when has_feedback and draw(n, 'rated') < 0.5
            then if(success, 3, 1) + floor(3 * draw(n, 'rating'))::integer
    end as user_rating,
    case
        when broken_rule = 'peak_memory_mb_out_of_range' then -64
        when is_measured then round(exp(5.6 + 0.6 * normal(n, 'memory')), 1)
    end::float as peak_memory_mb,
    case
        when broken_rule = 'cpu_time_seconds_out_of_range' then -1
        when is_measured then round(duration_seconds * (0.05 + 0.6 * draw(n, 'cpu')), 3)
    end::float as cpu_time_seconds,
    if(success and draw(n, 'summed up') < 0.85, solution_text, null) as solution_summary,
    -- Parquet has no arrays of fixed length.
    if(broken_rule = 'embedding_of_another_length', [0.6, 0.8], null)::float[] as embedding,
    concat(
        '{"pool_id": "', pool_id, '", "worker_id": "', pool_id, '-w', worker,
        '", "model": "', model, '", "tokens": ', tokens,
        -- A router that records chances which are none.
        if(n % 1009 = 17, ', "routing": {"candidates": [{"plan": "small", "propensity": 0.5}]}', ''), '}'
    )::json as metadata,
    null::timestamp as uploaded_at,
from described;
