"""``orb feedback``: what one thinks of an execution, one's own list of it, and taking it back."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.padding import Padding

from orb_learning.cli.console import out, with_settings
from orb_learning.cli.options import AsJson
from orb_learning.cli.tables import print_json, text

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings

app = typer.Typer(
    no_args_is_help=True,
    help="What you think of executions; you are ORB_USER, else the system's user.",
)


@app.command("submit")
@with_settings
def submit_command(
    settings: LearningSettings,
    task_id: Annotated[str, typer.Argument(metavar="TASK_ID", help="The task.")],
    satisfaction: Annotated[
        str, typer.Argument(metavar="SATISFACTION", help="excellent, good, fair or poor.")
    ],
    issue: Annotated[
        str | None,
        typer.Option(
            help="wrong_model, too_slow, poor_quality or other; needed for fair and poor."
        ),
    ] = None,
    comment: Annotated[
        str | None, typer.Option(help="Up to 2,000 characters; needed for the issue other.")
    ] = None,
    visibility: Annotated[
        str,
        typer.Option(
            help="private: only you; team; public: everybody, without your name and the comment."
        ),
    ] = "private",
) -> None:
    """Say what you think of an execution."""
    from orb_learning.capture import outbox_of
    from orb_learning.feedback import check_feedback_enabled, current_user, submit_feedback

    check_feedback_enabled(settings)
    outbox = outbox_of(settings)
    try:
        feedback_id = submit_feedback(
            outbox,
            task_id=task_id,
            satisfaction=satisfaction,
            issue_type=issue,
            comment=comment,
            visibility=visibility,
            user_id=current_user(),
            id_scope=settings.id_scope,
        )
    finally:
        outbox.close()
    out.print(str(feedback_id), highlight=False)


@app.command("list")
@with_settings
def list_command(settings: LearningSettings, as_json: AsJson = False) -> None:
    """List your feedback, the newest first; public feedback is nobody's, so it is not in it."""
    rows = _own(settings)
    if as_json:
        print_json(rows)
        return
    if not rows:
        out.print("You have given no feedback that is not public.")
    # No table: two ids alone, which are to be copied, fill a terminal's line.
    for row in rows:
        where = (
            " (archived)"
            if row["is_archived"]
            else ""
            if row["has_execution"]
            else " (has not come yet)"
        )
        given = f"{row['submitted_at']:%Y-%m-%d %H:%M}" if row["submitted_at"] else "-"
        words = ", ".join(text(row[name]) for name in ("satisfaction", "issue_type") if row[name])
        out.print(f"[bold]{row['feedback_id']}[/]  {given}", highlight=False)
        own = row["external_id"]
        task = row["task_id"] if own is None else f"{text(own)} ({row['task_id']})"
        out.print(f"  of task {task}{where}", highlight=False)
        out.print(f"  {words or '-'}; {text(row['visibility'])}", highlight=False)
        if row["comment"]:
            out.print(Padding(text(row["comment"]), (0, 0, 0, 2)), highlight=False)


@app.command("export")
@with_settings
def export_command(settings: LearningSettings) -> None:
    """Print all of your feedback as JSON."""
    print_json(_own(settings))


@app.command("delete")
@with_settings
def delete_command(
    settings: LearningSettings,
    feedback_ids: Annotated[list[uuid.UUID], typer.Argument(metavar="FEEDBACK_ID...")],
) -> None:
    """Delete feedback of yours for good; public feedback by its id alone."""
    from orb_learning.feedback import current_user
    from orb_learning.operations import delete_own_feedback

    count = delete_own_feedback(settings, feedback_ids, current_user())
    out.print(f"{count:,} deleted", highlight=False)


def _own(settings: LearningSettings) -> list[dict[str, Any]]:
    from orb_learning.feedback import current_user
    from orb_learning.operations import read_own_feedback

    return read_own_feedback(settings, current_user())
