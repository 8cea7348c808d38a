-- One row is a UTC hour of the last 7 days, with its failed executions.
{{ error_rate_in_series('hour', 7) }}
