"""``submit_feedback``: what a person says of an execution."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from uuid import UUID

from mcp.server.auth.middleware.auth_context import get_access_token
from pydantic import BaseModel, Field

from orb_learning.feedback import LONGEST_COMMENT, current_user
from orb_learning.feedback import submit as feedback_submit
from orb_learning.mcp.feedback_outbox import FeedbackOutbox


class FeedbackSubmitted(BaseModel):
    """Feedback that was taken."""

    feedback_id: UUID = Field(description="Its id, by which its author can delete it.")
    visibility: Literal["private", "team", "public"] = Field(description="Who will see it.")


async def submit_feedback(
    feedback: FeedbackOutbox,
    task_id: Annotated[
        str, Field(description="The execution's task_id, or the task's id as it was recorded.")
    ],
    satisfaction: Annotated[
        Literal["excellent", "good", "fair", "poor"], Field(description="How good the result was.")
    ],
    issue_type: Annotated[
        Literal["wrong_model", "too_slow", "poor_quality", "other"] | None,
        Field(description="What was wrong; fair and poor need one."),
    ] = None,
    comment: Annotated[
        str | None,
        Field(
            max_length=LONGEST_COMMENT,
            description="In the person's own words; the issue other needs one.",
        ),
    ] = None,
    visibility: Annotated[
        Literal["private", "team", "public"],
        Field(
            description="private: nobody but its author; team: this database's readers; public: "
            "without the comment and the author."
        ),
    ] = "private",
) -> FeedbackSubmitted:
    """Record what a person said of an execution's result; never what you think of it yourself.

    It is loaded with the next `orb load`. 30 pieces a minute are taken.
    """
    token = get_access_token()
    user = token.client_id if token else current_user()

    def submit() -> UUID:
        return feedback_submit.submit_feedback(
            feedback.take(user),
            task_id=task_id,
            satisfaction=satisfaction,
            issue_type=issue_type,
            comment=comment,
            visibility=visibility,
            user_id=user,
            id_scope=feedback.settings.id_scope,
        )

    feedback_id = await asyncio.to_thread(submit)
    return FeedbackSubmitted(feedback_id=feedback_id, visibility=visibility)
