-- One row is a UTC day of the last 90 days.
{{ executions_in_series('day', 90) }}
