"""``submit_feedback``: what a person says of an execution."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal
from uuid import UUID

from mcp.server.auth.middleware.auth_context import get_access_token
from pydantic import BaseModel, Field

from orb_learning.feedback import LONGEST_COMMENT, current_user
from orb_learning.feedback import submit as feedback_submit
from orb_learning.figures import Reader
from orb_learning.outbox import Outbox


class FeedbackSubmitted(BaseModel):
    """Feedback that was taken."""

    feedback_id: UUID = Field(description="Its id, by which its author can delete it.")
    visibility: Literal["private", "team", "public"] = Field(description="Who will see it.")


async def submit_feedback(
    reader: Reader,
    task_id: Annotated[UUID, Field(description="The execution's task_id.")],
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

    It is loaded with the next `orb load`.
    """
    settings = reader.settings
    token = get_access_token()
    user = token.client_id if token else current_user()

    def submit() -> UUID:
        outbox = Outbox(
            settings.outbox_folder,
            synchronous=settings.outbox_synchronous,
            busy_timeout_ms=settings.outbox_busy_timeout_ms,
            size_limit_bytes=settings.outbox_size_limit_mb * 2**20,
        )
        try:
            return feedback_submit.submit_feedback(
                outbox,
                task_id=task_id,
                satisfaction=satisfaction,
                issue_type=issue_type,
                comment=comment,
                visibility=visibility,
                user_id=user,
            )
        finally:
            outbox.close()

    feedback_id = await asyncio.to_thread(submit)
    return FeedbackSubmitted(feedback_id=feedback_id, visibility=visibility)
