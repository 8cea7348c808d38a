"""The figures of the last full runs, written into RESULTS.md and docs/indexes.md."""

from __future__ import annotations

import inspect
from types import ModuleType

from benchmarks import figures
from benchmarks.databases import PROJECT

RESULTS = PROJECT / "benchmarks" / "RESULTS.md"
INDEXES = PROJECT / "docs" / "indexes.md"
SCALE = "full"

HEAD = """\
# Benchmarks

Written by `python -m benchmarks --write-docs`; [README.md](README.md) says how to run them.
A missed target says NO.
"""


def write(benchmarks: dict[str, ModuleType]) -> None:
    """Write both documents; the text of a benchmark without results stays as it is."""
    before = _sections(RESULTS.read_text())
    parts = [HEAD]
    for name, benchmark in benchmarks.items():
        kept = figures.load(name, SCALE)
        if kept is None:
            parts.extend(before.get(benchmark.TITLE, []))
            continue
        measured_at, machine, measured = kept
        parts.append(f"## {benchmark.TITLE}\n\n{inspect.getdoc(benchmark)}\n")
        parts.append(f"{measured_at[:10]}; {machine}.\n\n{figures.markdown(measured)}\n")
    RESULTS.write_text("\n".join(parts))
    kept = figures.load("indexes", SCALE)
    if kept:
        measured_at, machine, measured = kept
        _replace("figures", f"{measured_at[:10]}; {machine}.\n\n{figures.markdown(measured)}\n")
        _replace("plans", (figures.RESULTS / f"plans.{SCALE}.md").read_text())


def _sections(text: str) -> dict[str, list[str]]:
    """Return each section of RESULTS.md, its heading included, by its title."""
    _, *sections = text.split("\n## ")
    return {part.partition("\n")[0]: [f"## {part.rstrip()}\n"] for part in sections}


def _replace(mark: str, text: str) -> None:
    """Put the text between the marks of that name in docs/indexes.md."""
    begin, end = f"<!-- {mark}: measured -->\n", f"<!-- /{mark} -->"
    before, _, rest = INDEXES.read_text().partition(begin)
    _, _, after = rest.partition(end)
    INDEXES.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}")
