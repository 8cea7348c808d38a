-- One row is a time range and a pool type used in it, with memory and CPU.
{{ resources_by('pool_type', 'pool_type') }}
