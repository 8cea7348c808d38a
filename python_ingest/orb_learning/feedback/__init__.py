"""What people say of executions: how it is submitted and stored."""

from orb_learning.feedback.rows import (
    FEEDBACK_FIELDS,
    SEVERAL_TASKS,
    Feedback,
    delete_feedback,
    drop_dead_letters_of_feedback,
    find_waiting_executions,
    insert_feedback,
    parse_feedback,
)
from orb_learning.feedback.submit import (
    LONGEST_COMMENT,
    check_feedback_enabled,
    current_user,
    order_deletion,
    submit_feedback,
)

__all__ = [
    "FEEDBACK_FIELDS",
    "LONGEST_COMMENT",
    "SEVERAL_TASKS",
    "Feedback",
    "check_feedback_enabled",
    "current_user",
    "delete_feedback",
    "drop_dead_letters_of_feedback",
    "find_waiting_executions",
    "insert_feedback",
    "order_deletion",
    "parse_feedback",
    "submit_feedback",
]
