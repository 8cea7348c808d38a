-- One row is an execution in a time range that it started in: one of 10 minutes ago is in all five.
{{ in_time_ranges('fct_executions') }}
