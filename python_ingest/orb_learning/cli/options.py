"""The options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

WRONG_STATUS = 3
"""Exit status where the database could be read, and something in it is wrong."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Strict = Annotated[
    bool, typer.Option("--strict", help=f"Exit with {WRONG_STATUS} for a warning, too.")
]
Wait = Annotated[
    float, typer.Option(min=0, help="Seconds to wait while others have the database or the outbox.")
]
