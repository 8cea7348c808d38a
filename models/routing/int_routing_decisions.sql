-- One row is a routing decision: a first attempt at a task, with the attempts that followed from it.
{{ decision_rows() }}
