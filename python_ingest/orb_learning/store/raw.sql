-- The raw layer: every version of every record as it came, and where it came from.
-- Each statement can be run again; schema.py runs all of them when the version here is newer than
-- the database's. A later version adds its statements at the end and inserts its number.

-- version 1
create schema if not exists raw;

create table if not exists raw.schema_versions (
    version integer not null,
    applied_at timestamp not null
);

create sequence if not exists raw.load_seq;

create table if not exists raw.executions (
    task_id uuid not null,
    "timestamp" timestamp,
    task_type varchar,
    task_description varchar,
    repo varchar,
    file_count bigint,
    estimated_tokens bigint,
    model_tier varchar,
    pool_type varchar,
    swarm_topology varchar,
    routing_confidence float,
    complexity_score integer,
    success boolean,
    duration_seconds float,
    quality_score integer,
    cost_estimate float,
    actual_cost float,
    error_type varchar,
    error_message varchar,
    user_accepted boolean,
    user_rating integer,
    peak_memory_mb float,
    cpu_time_seconds float,
    solution_summary varchar,
    -- 384 floats; not FLOAT[384], in which an unknown vector costs as much to write as a known one.
    -- No CHECK of the length: DuckDB 2.0.0 cannot replay an ADD COLUMN to a table whose CHECK calls a
    -- function after a kill, and does not open the file then. A rule in dbt_project.yml checks it.
    embedding float[],
    metadata json,
    uploaded_at timestamp,
    _load_seq bigint not null,
    _loaded_at timestamp not null
);

create table if not exists raw.loaded_files (
    file_sha256 varchar not null,
    file_name varchar not null,
    row_count bigint not null,
    unreadable_count bigint not null,
    loaded_at timestamp not null
);

create table if not exists raw.unreadable_rows (
    file_sha256 varchar not null,
    file_name varchar not null,
    row_number bigint not null,
    reason varchar not null,
    content varchar,
    loaded_at timestamp not null
);

-- version 2
create table if not exists raw.database_id (database_id uuid not null);

insert into raw.database_id
select gen_random_uuid() where not exists (from raw.database_id);

create table if not exists raw.outbox_positions (
    outbox_id uuid primary key,
    position bigint not null,
    loaded_at timestamp not null
);

create table if not exists raw.pending_halves (
    task_id uuid not null,
    kind varchar not null,
    payload varchar not null,
    loaded_at timestamp not null,
    recorded_at timestamp,
    primary key (task_id, kind)
);

create sequence if not exists raw.dead_letter_id;

create table if not exists raw.dead_letters (
    dead_letter_id bigint primary key default nextval('raw.dead_letter_id'),
    kind varchar not null,
    reason varchar not null,
    payload varchar not null,
    put_at timestamp,
    loaded_at timestamp not null
);

create table if not exists raw.refused_records (
    reason varchar not null,
    refused_count bigint not null,
    put_at timestamp,
    loaded_at timestamp not null
);

-- version 3
-- How many versions came on a day, counted as they come: what live and archived ones add up to.
create table if not exists raw.loaded_counts (
    loaded_on date primary key,
    version_count bigint not null
);

insert into raw.loaded_counts
select _loaded_at::date, count(*) from raw.executions
where not exists (from raw.loaded_counts)
group by all;

create table if not exists raw.archived_files (
    file_name varchar primary key,
    archived_day date not null,
    version_count bigint not null,
    size_bytes bigint not null,
    file_sha256 varchar not null,
    archived_at timestamp not null,
    -- When its versions came back into raw; null while they are only in the file.
    unarchived_at timestamp
);

create table if not exists raw.held_days (
    held_day date primary key,
    held_at timestamp not null
);

-- The ids of what was deleted on request, never its content.
create table if not exists raw.forgotten (
    task_id uuid primary key,
    version_count bigint not null,
    forgotten_at timestamp not null
);

create table if not exists raw.maintenance_steps (
    run_id uuid not null,
    step varchar not null,
    outcome varchar not null,
    started_at timestamp not null,
    ended_at timestamp not null,
    message varchar,
    primary key (run_id, step)
);

create table if not exists raw.storage_samples (
    sampled_at timestamp not null,
    kind varchar not null,
    name varchar not null,
    size_bytes bigint not null,
    row_count bigint
);

-- version 4
create table if not exists raw.feedback (
    feedback_id uuid primary key,
    task_id uuid not null,
    submitted_at timestamp,
    satisfaction varchar,
    issue_type varchar,
    comment varchar,
    visibility varchar,
    user_id varchar,
    -- From raw.load_seq, too.
    _load_seq bigint not null,
    _loaded_at timestamp not null
);

-- The ids of what people took back, so that nothing brings it back.
create table if not exists raw.deleted_feedback (
    feedback_id uuid primary key,
    deleted_at timestamp not null
);

create table if not exists raw.archived_feedback_files (
    file_name varchar primary key,
    archived_day date not null,
    feedback_count bigint not null,
    size_bytes bigint not null,
    file_sha256 varchar not null,
    archived_at timestamp not null,
    unarchived_at timestamp
);

-- version 5
-- How much feedback came, counted as it comes, and how much of it is gone: taken back, forgotten with
-- its task, or come twice. What live and archived feedback adds up to. One row.
create table if not exists raw.feedback_counts (
    came_count bigint not null,
    gone_count bigint not null
);

insert into raw.feedback_counts
select
    (select count(*) from raw.feedback)
    + (
        select coalesce(sum(feedback_count), 0) from raw.archived_feedback_files
        where unarchived_at is null
    ),
    0
where not exists (from raw.feedback_counts);

-- version 6
-- A file may count more than 2^31 tokens.
alter table raw.executions alter column file_count type bigint;

alter table raw.executions alter column estimated_tokens type bigint;

-- version 7
-- The executions of tasks whose ids are no UUIDs: which task_id each has, so that an id that comes
-- again for another task is told from it, even after the first was archived.
create table if not exists raw.external_ids (
    task_id uuid primary key,
    -- The UUID of the id itself; another one where the id came again.
    external_task_id uuid not null,
    started_at timestamp,
    -- The first 64 bits of the description's SHA-256, hexadecimal.
    description_hash varchar
);

-- version 8
-- The spans of traces, for some days: so long a trace's execution can have a new version. Several rows
-- of a span are several states of it.
create table if not exists raw.spans (
    trace_id uuid not null,
    span_id varchar not null,
    parent_span_id varchar,
    name varchar,
    started_at timestamp not null,
    ended_at timestamp,
    status_code integer,
    status_message varchar,
    service_name varchar,
    attributes json,
    _loaded_at timestamp not null
);
