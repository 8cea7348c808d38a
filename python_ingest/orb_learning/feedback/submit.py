"""What people say of an execution: the rules, and the way into the outbox.

Feedback goes through the outbox like every execution. Private feedback is its author's alone: it
is in raw, and in no relation that people and tools query. Team feedback is there as it was given.
Public feedback is given without a name and without a comment: what is kept besides its rating is
the task, by which the rating reaches its execution.
"""

from __future__ import annotations

import getpass
import json
import os
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from orb_learning.errors import FeedbackError
from orb_learning.outbox import Kind, Outbox
from orb_learning.record import identify
from orb_learning.settings import LearningSettings
from orb_learning.store import utc_now

SATISFACTIONS = ("excellent", "good", "fair", "poor")
ISSUE_TYPES = ("wrong_model", "too_slow", "poor_quality", "other")
VISIBILITIES = ("private", "team", "public")
ISSUE_NEEDED_FOR = ("fair", "poor")
LONGEST_COMMENT = 2_000
BLANKS = " \t\n\f\r"
"""What a comment must have more than; the rule in SQL has it as ``\\s``."""


def submit_feedback(
    outbox: Outbox,
    *,
    task_id: str | int | uuid.UUID,
    satisfaction: str,
    issue_type: str | None = None,
    comment: str | None = None,
    visibility: str = "private",
    user_id: str | None = None,
    id_scope: str = "",
    now: datetime | None = None,
) -> uuid.UUID:
    """Put feedback on a task into the outbox; it is durable when this returns.

    Whether feedback is taken at all is the caller's to ask, by ``check_enabled``.

    Args:
        outbox: where it goes.
        task_id: the task's id, as it was recorded; its execution may come later, or never.
        satisfaction: excellent, good, fair or poor.
        issue_type: wrong_model, too_slow, poor_quality or other; fair and poor need one.
        comment: up to 2,000 characters; the issue other needs one.
        visibility: private, team or public; public leaves out the comment and the user.
        user_id: who gives it; None where that is not known.
        id_scope: of a task_id that is no UUID; ``learning.id_scope``.
        now: the present time, naive UTC; the clock's if None.

    Returns:
        the feedback's id.

    Raises:
        FeedbackError: a rule is broken, or the outbox did not take it; nothing is kept.
    """
    try:
        checked_task_id, external_id = identify(task_id, id_scope)
    except ValueError as error:
        raise FeedbackError(f"task_id is {_shown(task_id)}: it must be an id") from error
    _check(satisfaction, issue_type, comment, visibility)
    is_named = visibility != "public"
    feedback_id = uuid.uuid4()
    payload = {
        "feedback_id": str(feedback_id),
        "task_id": str(checked_task_id),
        "submitted_at": (now or utc_now()).isoformat(),
        "satisfaction": satisfaction,
        "issue_type": issue_type,
        "comment": comment if is_named else None,
        "visibility": visibility,
        "user_id": _encodable("user_id", user_id) if is_named else None,
        **({"external_id": external_id} if external_id is not None else {}),
    }
    _put(outbox, "feedback", payload)
    return feedback_id


def order_deletion(outbox: Outbox, feedback_ids: Collection[uuid.UUID]) -> None:
    """Put the order to delete feedback into the outbox, so that a restored database obeys it, too.

    Raises:
        FeedbackError: the outbox did not take it.
    """
    _put(outbox, "delete_feedback", {"feedback_ids": sorted(map(str, feedback_ids))})


def check_feedback_enabled(settings: LearningSettings) -> None:
    """Refuse feedback where the settings say that none is taken.

    Raises:
        FeedbackError: names the setting.
    """
    if not (settings.enabled and settings.enable_feedback_collection):
        name = "enabled" if not settings.enabled else "enable_feedback_collection"
        raise FeedbackError(
            f"feedback is not taken here: learning.{name} is off; "
            f"set ORB_LEARNING__{name.upper()}=true"
        )


def current_user() -> str:
    """Return who gives feedback from this process: ``ORB_USER``, else the system's user.

    Raises:
        FeedbackError: neither is known.
    """
    try:
        return os.environ.get("ORB_USER") or getpass.getuser()
    except (OSError, KeyError) as error:
        raise FeedbackError("it is not known whose feedback this is: set ORB_USER") from error


def _check(satisfaction: Any, issue_type: Any, comment: Any, visibility: Any) -> None:
    _one_of("satisfaction", satisfaction, SATISFACTIONS)
    _one_of("visibility", visibility, VISIBILITIES)
    if issue_type is not None:
        _one_of("issue_type", issue_type, ISSUE_TYPES)
    elif satisfaction in ISSUE_NEEDED_FOR:
        raise FeedbackError(
            f"issue_type is missing: {satisfaction} needs one of {', '.join(ISSUE_TYPES)}"
        )
    _encodable("comment", comment)
    if comment is not None and len(comment) > LONGEST_COMMENT:
        raise FeedbackError(
            f"comment has {len(comment):,} characters; at most {LONGEST_COMMENT:,} are taken"
        )
    if issue_type == "other" and not (comment or "").strip(BLANKS):
        raise FeedbackError("comment is missing: issue_type other needs one that says what it is")


def _one_of(name: str, value: Any, allowed: Collection[str]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise FeedbackError(f"{name} is {_shown(value)}: it must be one of {', '.join(allowed)}")


def _encodable(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise FeedbackError(f"{name} is {_shown(value)}: it must be a text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise FeedbackError(f"{name} cannot be stored: {error.reason}") from error
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 50 else f"{text[:50]}…"


def _put(outbox: Outbox, kind: Kind, payload: dict[str, Any]) -> None:
    if not outbox.put(kind, json.dumps(payload, ensure_ascii=False)):
        raise FeedbackError(
            f"the outbox {outbox.folder} did not take it ({', '.join(outbox.refused())}); "
            "try again, and look at `orb status`"
        )
