"""The page as one HTML file: the reports, the library that draws them, and the script."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
from dataclasses import asdict
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from orb_learning.errors import PageError
from orb_learning.filesystem import callers_umask
from orb_learning.page.reports import WITH_RANGE, Columns, read_reports
from orb_learning.store import note_written
from orb_learning.time_ranges import TIME_RANGES

FILTERS = {"repo": "Repository", "model_tier": "Model tier", "pool_type": "Pool"}

SCRIPT = ["figures", "data", "captions", "first_screen", "panels", "executions", "start"]
"""The parts of the page's script, in their order."""


def write_page(
    database: Path, output: Path, *, outbox: Path | None = None, wait_seconds: float = 30.0
) -> int:
    """Write the page; it appears whole or not at all.

    Args:
        database: the database file.
        output: the HTML file; one that is there is replaced.
        outbox: the folder of the outbox that feeds the database; None where it is not known.
        wait_seconds: for how long to wait while another process writes the database.

    Returns:
        The file's size in bytes.

    Raises:
        PageError: a package is missing, or the file cannot be written.
        DatabaseError: there is no database, it cannot be read, or it was never built.
    """
    check_packages()  # before what takes seconds, or asks for a build
    reports = read_reports(database, outbox=outbox, wait_seconds=wait_seconds)
    content = render(reports).encode()
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        file = NamedTemporaryFile(dir=output.parent, prefix=f".{output.name}.", delete=False)  # noqa: SIM115
        partial = Path(file.name)
        try:
            with file:
                file.write(content)
                # Not by its name, in whose place another may put a link to a private file.
                os.fchmod(file.fileno(), 0o666 & ~callers_umask())
            partial.replace(output)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise PageError(
            f"{output} cannot be written: {error.strerror or error}; name another file with "
            "--output"
        ) from error
    note_written(database, output)
    return len(content)


def check_packages() -> None:
    """Refuse to draw the page without its extra.

    Raises:
        PageError: a package of the extra ``page`` is missing.
    """
    for name in ("altair", "vl_convert", "jinja2", "markupsafe"):
        if find_spec(name) is None:
            raise PageError(f"the page needs `pip install 'orb-learning[page]'`: {name} is missing")


def render(reports: dict[str, Columns] | None) -> str:
    """Return the page that shows these reports, or that asks who serves it for them if None.

    Raises:
        PageError: a package of the extra ``page`` is missing.
    """
    check_packages()
    import altair
    import vl_convert
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    from orb_learning.page.panels import SECTIONS, TILES

    library = vl_convert.javascript_bundle(
        "window.vegaEmbed = vegaEmbed;",
        vl_version=".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2]),
    )
    script, style = "\n".join(_source(f"script/{name}.js") for name in SCRIPT), _source("page.css")
    sections = [
        {"id": _section_id(title), "title": title, "panels": panels}
        for title, panels in SECTIONS.items()
    ]
    content = {
        "sections": [
            {"id": _section_id(title), "panels": [panel.to_dict() for panel in panels]}
            for title, panels in SECTIONS.items()
        ],
        "tiles": [asdict(tile) for tile in TILES],
        **({} if reports is None else {"reports": reports}),
    }
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return template.from_string(_source("page.html.jinja")).render(
        policy=_policy([library, script], [style], is_live=reports is None),
        is_live=reports is None,
        ranged=WITH_RANGE,
        ranges=TIME_RANGES,
        filters=FILTERS,
        tiles=TILES,
        sections=sections,
        # Base64 has no character that means anything in HTML: whatever a text holds is only data.
        data=Markup(_packed(content)),  # noqa: S704
        library=Markup(library),  # noqa: S704
        script=Markup(script),  # noqa: S704
        style=Markup(style),  # noqa: S704
    )


def _section_id(title: str) -> str:
    return f"section-{title.split()[-1].lower()}"


def _packed(content: Any) -> str:
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()


def _source(name: str) -> str:
    return (files("orb_learning.page") / name).read_text(encoding="utf-8")


def _policy(scripts: list[str], styles: list[str], *, is_live: bool) -> str:
    """Allow the scripts and styles of the file, each by its hash, and nothing else: no network.

    A page that is served may ask who serves it.
    """
    return "; ".join(
        [
            "default-src 'none'",
            *(["connect-src 'self'"] if is_live else []),
            f"script-src {_hashes(scripts)}",
            f"style-src {_hashes(styles)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hashes(texts: list[str]) -> str:
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
