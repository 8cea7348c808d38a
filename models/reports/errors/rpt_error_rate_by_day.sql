-- One row is a UTC day of the last 90 days, with its failed executions.
{{ error_rate_in_series('day', 90) }}
