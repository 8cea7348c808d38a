-- One row is a time range and a duration bucket in it, with memory and CPU.
{{ resources_by(duration_bucket(), 'duration_bucket') }}
