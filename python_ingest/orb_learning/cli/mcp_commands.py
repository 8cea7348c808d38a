"""``orb mcp``: the database for agents."""

from __future__ import annotations

import signal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orb_learning.cli.console import INTERRUPTED, end_process, err, with_settings
from orb_learning.errors import McpServerError

if TYPE_CHECKING:
    from orb_learning.settings import LearningSettings

app = typer.Typer()


class Transport(StrEnum):
    """How clients reach the server."""

    STDIO = "stdio"
    HTTP = "http"


@app.command("mcp")
@with_settings
def mcp_command(
    settings: LearningSettings,
    transport: Annotated[
        Transport, typer.Option(help="stdio for one client that starts it, http for many.")
    ] = Transport.STDIO,
    host: Annotated[
        str,
        typer.Option(help="The address for http; beyond this machine, tokens are needed."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port for http.")] = 8765,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A further name by which clients reach it, such as a proxy's."
        ),
    ] = None,
) -> None:
    """Serve the database to agents over MCP, read only."""
    try:
        from orb_learning.mcp.server import serve_http, serve_stdio
    except ImportError as error:
        raise McpServerError(
            f"the MCP SDK is not installed ({error}): run `pip install 'orb-learning[mcp]'`"
        ) from error
    if transport is Transport.STDIO:
        # The thread that waits for standard input would keep the process for ever.
        signal.signal(signal.SIGINT, lambda *_: end_process(INTERRUPTED))
        serve_stdio(settings)
    else:
        serve_http(
            settings,
            host=host,
            port=port,
            allowed_hosts=allowed_host,
            ready=lambda url: err.print(f"{url}; stop it with Ctrl-C", highlight=False),
        )
    end_process(0)
