"""What became of the records: from what was recorded to the executions, with what stopped them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from orb_learning.figures.reader import Snapshot
from orb_learning.figures.results import Text
from orb_learning.ingest import pending_records
from orb_learning.store import stored_offsets


class Stage(BaseModel):
    """A stage of the funnel."""

    stage: str = Field(
        description="recorded, in_outbox, refused, dead_letter, unmatched, unreadable, loaded, "
        "rejected, superseded, archived, erased, waiting_for_build or executions."
    )
    kind: Literal["total", "lost", "waiting", "past"] = Field(
        description="total; lost: no execution, for a reason; waiting: it may become one; past: "
        "it was one, or its place is taken."
    )
    record_count: int = Field(description="Records of the stage, versions of a task one each.")
    top_reason: Text | None = Field(description="The commonest reason of a loss.")
    top_reason_count: int | None = Field(description="Records that it holds for.")


def record_funnel(snapshot: Snapshot, outbox: Path | None) -> list[dict[str, Any]]:
    """Return the rows of ``rpt_record_funnel``, with what is only in the outbox as a stage.

    Args:
        snapshot: the open database.
        outbox: the folder of the outbox that feeds it; None where it is not known.

    Returns:
        the fields of a ``Stage`` each, from recorded to executions.
    """
    stages = snapshot.select(Stage, "rpt_record_funnel order by stage_order")
    pending = 0
    if outbox is not None:
        pending, _ = pending_records(outbox, stored_offsets(snapshot.connection))
    recorded, *others = stages
    waiting = {
        "stage": "in_outbox",
        "kind": "waiting",
        "record_count": pending,
        "top_reason": None,
        "top_reason_count": None,
    }
    return [{**recorded, "record_count": recorded["record_count"] + pending}, waiting, *others]
