-- One row is a UTC hour of the last 7 days.
{{ executions_in_series('hour', 7) }}
