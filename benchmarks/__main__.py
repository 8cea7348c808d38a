"""`python -m benchmarks [NAME…]`: run them, print tables, exit with 1 if a target is missed."""

from __future__ import annotations

import argparse
import sys
import traceback
from types import ModuleType

from rich.console import Console

from benchmarks import (
    accuracy,
    backups,
    capture,
    clusters,
    collector,
    curves,
    disk,
    documents,
    encoding,
    exact,
    expected,
    figures,
    freshness,
    import_speed,
    incremental,
    index,
    indexes,
    intervals,
    nothing_new,
    outbox,
    page,
    queries,
    reports,
    retention,
    router,
    routing,
    routing_agreement,
    routing_builds,
    routing_clusters,
    routing_loop,
    search,
    soak,
    storage_version,
    tools,
)
from benchmarks.scales import SCALES

BENCHMARKS: dict[str, ModuleType] = {
    "import": import_speed,
    "outbox": outbox,
    "incremental": incremental,
    "nothing-new": nothing_new,
    "curves": curves,
    "exact": exact,
    "expected": expected,
    "disk": disk,
    "storage-version": storage_version,
    "indexes": indexes,
    "capture": capture,
    "router": router,
    "routing": routing,
    "routing-agreement": routing_agreement,
    "routing-loop": routing_loop,
    "routing-clusters": routing_clusters,
    "routing-builds": routing_builds,
    "accuracy": accuracy,
    "search": search,
    "encoding": encoding,
    "index": index,
    "clusters": clusters,
    "intervals": intervals,
    "reports": reports,
    "tools": tools,
    "queries": queries,
    "page": page,
    "retention": retention,
    "backups": backups,
    "freshness": freshness,
    "collector": collector,
    "soak": soak,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--scale", choices=SCALES, default="full")
    parser.add_argument(
        "--write-docs",
        action="store_true",
        help="write the last full runs' figures into RESULTS.md and docs/indexes.md",
    )
    given = parser.parse_args()
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark is named {', '.join(sorted(unknown))}")
    scale = SCALES[given.scale]
    console = Console()
    console.print(figures.machine())
    failed = []
    for name in given.names or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        measured: list[figures.Figure] = []
        try:
            measured.extend(benchmark.run(scale))
            figures.save(name, scale.name, measured)
        except Exception:
            # The others run all the same; this one counts as missed.
            traceback.print_exc()
            failed.append(name)
        console.print(figures.table(benchmark.TITLE, measured))
        failed.extend(figure.name for figure in measured if figure.is_met is False)
    if given.write_docs:
        documents.write(BENCHMARKS)
    if failed:
        console.print(f"[bold red]missed:[/] {'; '.join(failed)}", soft_wrap=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
