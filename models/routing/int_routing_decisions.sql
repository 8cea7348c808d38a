-- One row is a routing decision: a first attempt at a task, with the attempts that followed it.
{{ decision_rows() }}
