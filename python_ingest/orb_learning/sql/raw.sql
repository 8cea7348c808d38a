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
    file_count integer,
    estimated_tokens integer,
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
    embedding float[] check (len(embedding) = 384),
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
