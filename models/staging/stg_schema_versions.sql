-- One row is a version of the raw schema that this database has had.
select
    version,
    applied_at
from {{ source('raw', 'schema_versions') }}
