"""``orb collect``: spans of agents by OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orb_learning.cli.console import err, say, with_settings
from orb_learning.errors import CollectorError

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
