-- One row is a UTC day of the last 30 days, with the percentiles of duration.
{{ durations_in_series('day', 30) }}
