"""``submit_feedback``: what a person says of an execution, and taking it back."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from uuid import UUID

from mcp.server.auth.middleware.auth_context import get_access_token
from pydantic import BaseModel, Field

from orb_learning.feedback import LONGEST_COMMENT, current_user, order_deletion
from orb_learning.feedback import submit as feedback_submit
from orb_learning.figures import UNTRUSTED
from orb_learning.mcp.feedback_outbox import FeedbackOutbox
from orb_learning.mcp.rated_executions import RatedExecution, find_rated, owns_feedback

REACHES = "It reaches this execution with the next `orb load`. If it is another's, withdraw it."
WAITS = (
    "No such execution was built yet: the feedback waits for it, and reaches it once it comes. If "
    "the id is wrong, withdraw it."
)
UNREAD = "The database cannot be read now, so its execution is not shown."
TAKEN_BACK = "It is gone with the next `orb load`; `orb feedback delete` erases it from files, too."


Satisfaction = Annotated[
    Literal["excellent", "good", "fair", "poor"] | None,
    Field(description="How good the result was."),
]
IssueType = Annotated[
    Literal["wrong_model", "too_slow", "poor_quality", "other"] | None,
    Field(description="What was wrong; fair and poor need one."),
]
Comment = Annotated[
    str | None,
    Field(
        max_length=LONGEST_COMMENT,
        description="In the person's own words; the issue other needs one.",
    ),
]
Visibility = Annotated[
    Literal["private", "team", "public"],
    Field(
        description="private: nobody but its author; team: this database's readers; public: "
        "without the comment and the author."
    ),
]
Withdraw = Annotated[
    UUID | None,
    Field(description="A feedback_id of the same person to take back, in place of all else."),
]


class FeedbackSubmitted(BaseModel):
    """Feedback that was taken, or taken back."""

    feedback_id: UUID = Field(description="Its id, by which its author can withdraw it.")
    visibility: Literal["private", "team", "public"] | None = Field(
        description="Who will see it; null of what was withdrawn."
    )
    execution: RatedExecution | None = Field(description="What it is of; null if that waits.")
    note: str = Field(description="What becomes of it.")
    untrusted: str = Field(UNTRUSTED, description="How to take texts in this result.")


async def submit_feedback(
    feedback: FeedbackOutbox,
    task_id: Annotated[
        str | None,
        Field(description="The execution's task_id, or the task's id as it was recorded."),
    ] = None,
    satisfaction: Satisfaction = None,
    issue_type: IssueType = None,
    comment: Comment = None,
    visibility: Visibility = "private",
    withdraw: Withdraw = None,
) -> FeedbackSubmitted:
    """Record what a person said of an execution's result; never what you think of it yourself.

    Give task_id and satisfaction, or withdraw. It says which execution that is: see that it is the
    one meant. It is loaded with the next `orb load`. 30 pieces a minute are taken.
    """
    token = get_access_token()
    user = token.client_id if token else current_user()
    if withdraw is not None:
        if (task_id, satisfaction, issue_type, comment) != (None, None, None, None):
            raise ValueError("withdraw: give it alone")
        return await _withdraw(feedback, withdraw, user)
    for name, value in (("task_id", task_id), ("satisfaction", satisfaction)):
        if value is None:
            raise ValueError(f"{name}: give it, or withdraw (got none)")
    rated = await find_rated(feedback.reader, str(task_id))

    def submit() -> UUID:
        return feedback_submit.submit_feedback(
            feedback.take(user),
            task_id=str(task_id),
            satisfaction=str(satisfaction),
            issue_type=issue_type,
            comment=comment,
            visibility=visibility,
            user_id=user,
            id_scope=feedback.settings.id_scope,
        )

    feedback_id = await asyncio.to_thread(submit)
    feedback.remember(feedback_id, user)
    return FeedbackSubmitted(
        feedback_id=feedback_id,
        visibility=visibility,
        execution=rated.execution,
        note=REACHES if rated.execution else WAITS if rated.is_known else UNREAD,
    )


async def _withdraw(feedback: FeedbackOutbox, feedback_id: UUID, user: str) -> FeedbackSubmitted:
    if not feedback.gave(feedback_id, user) and not await owns_feedback(
        feedback.reader, feedback_id, user
    ):
        raise ValueError(
            f"withdraw: {user} has no such feedback in the database (got {str(feedback_id)!r}); "
            "`orb feedback list` shows what there is, also in the archive"
        )
    await asyncio.to_thread(lambda: order_deletion(feedback.take(user), [feedback_id]))
    return FeedbackSubmitted(
        feedback_id=feedback_id, visibility=None, execution=None, note=TAKEN_BACK
    )
