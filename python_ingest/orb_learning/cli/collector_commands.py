"""``orb collect``: spans of agents by OpenTelemetry; ``orb ship``: the outbox to a collector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orb_learning.cli.console import err, say, telling, with_settings
from orb_learning.cli.options import Wait
from orb_learning.errors import CollectorError
from orb_learning.formats import count

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings

app = typer.Typer()


@app.command("collect")
@with_settings
def collect_command(
    settings: LearningSettings,
    host: Annotated[
        str, typer.Option(help="The address; beyond this machine, tokens are needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port.")] = 4318,
) -> None:
    """Receive traces over OTLP/HTTP, and make executions of them."""
    try:
        from orb_learning.collector import serve
    except ImportError as error:
        raise CollectorError(
            f"the collector's packages are not installed ({error}): "
            f"run `pip install 'orb-learning[otel]'`"
        ) from error
    from orb_learning.operations import span_relay_options

    told = (
        f"set OTEL_EXPORTER_OTLP_ENDPOINT=http://{host}:{port} in what is to be recorded; "
        f"stop it with Ctrl-C"
    )
    serve(
        settings,
        span_relay_options(settings),
        host=host,
        port=port,
        ready=lambda: say(told, to=err),
    )


@app.command("ship")
@with_settings
@telling("shipping …")
def ship_command(
    settings: LearningSettings,
    place: Annotated[
        str, typer.Argument(metavar="PLACE", help="A folder of this host's own, or its URL.")
    ],
    wait: Wait = 60.0,
) -> None:
    """Copy the outbox to a place from which `orb load --from` loads it, and remove what is there.

    For a host that only records: the segments of processes that ended leave it,
    once their copies were read back. Those in use are copied as far as they are.
    """
    from orb_learning.outbox import ship

    shipped = ship(settings.outbox_folder, place, wait_seconds=wait)
    say(
        f"{count(shipped.copied, 'segment')} copied, {shipped.removed:,} of processes that ended "
        f"removed"
    )
    if shipped.left:
        left = count(shipped.left, "segment")
        raise CollectorError(f"{left} cannot be read, and stay: `orb load` says why")
