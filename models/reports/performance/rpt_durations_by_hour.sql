-- One row is a UTC hour of the last 7 days, with the percentiles of duration.
{{ durations_in_series('hour', 7) }}
