"""Routing policies valued from logs of worlds whose truth is known: bias and coverage.

Logs are drawn from worlds where each tier's outcome of each task is known. dbt compiles the models
once; each log is a new database in memory. Measured, of values that are shown: how far their mean
is from the truth, and how many of their 95 % intervals hold it. Of a headline case that is the
worst of the six plans; of the others, with fewer logs, the mean over plans. The plans that end in
another tier are chains: they are told from the chains in the log alone. Recommendations are false
where all tiers are alike. On halves of the tasks they are judged by the tasks that were not logged,
with a check that misses 5 % of failures. ORB_ROUTING_LOGS is the number of logs of a headline case,
the others have 15 % of it; ORB_ROUTING_CASES names some, and ORB_ROUTING_WORKERS says how many run
at a time. With fewer logs than 2,000 a coverage differs by chance: by 2.5 points at 300.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from benchmarks.routing_cases import BUDGET_USD, CASES, MISSED, USD_PER_SUCCESS, Case
from benchmarks.routing_models import Models, compile_models
from benchmarks.routing_tally import MEASURES, Tally, tally
from benchmarks.scales import Scale

TITLE = "Routing policies"
FOLDER = Path(__file__).parents[1] / "target/bench_routing"
SHARE = 0.15
"""Logs of a case that is no headline, of those of one that is."""


def run(scale: Scale) -> Iterator[Figure]:
    full = scale.name == "full"
    logs = int(os.environ.get("ORB_ROUTING_LOGS", "2000" if full else "20"))
    wanted = os.environ.get("ORB_ROUTING_CASES", "")
    names = [name for name in CASES if not wanted or name in wanted.split(";")]
    workers = int(os.environ.get("ORB_ROUTING_WORKERS", str(os.cpu_count() or 1)))
    models = compiled()
    everything: list[Tally] = []
    with ProcessPoolExecutor(workers) as pool:
        waiting = [(name, pool.submit(_tally, name, models, _logs(name, logs))) for name in names]
        for name, future in waiting:
            found = future.result()
            everything.append(found)
            shown = list(figures_of(f"{name}, {found.logs:,} logs", CASES[name], found))
            print(*("  ".join(figure.cells()) for figure in shown), sep="\n", flush=True)
            yield from shown
    yield from figures_of_all(everything)


def compiled() -> Models:
    """Return the models, compiled with the settings of the cases."""
    return compile_models(
        FOLDER,
        routing_run_budget_usd=BUDGET_USD,
        routing_usd_per_success=USD_PER_SUCCESS,
        routing_gate_false_pass=MISSED,
    )


def _tally(name: str, models: Models, logs: int) -> Tally:
    return tally(CASES[name], models, logs)  # a case is not to be pickled


def _logs(name: str, logs: int) -> int:
    return logs if CASES[name].is_headline else max(round(SHARE * logs), 2)


def figures_of(name: str, case: Case, found: Tally) -> Iterator[Figure]:
    """Yield what a case's logs came to, each with its bound."""
    if case.halves:
        yield Figure(f"{name}: given", _percent(found.given), "%", least=80)
        yield Figure(f"{name}: better in both", _percent(found.better), "%", least=95)
        return
    yield Figure(f"{name}: bias of success", found.bias(case.is_headline), "points", most=1)
    for measure in MEASURES:
        least, most = case.coverage_of_success if measure == "success" else case.coverage_of_others
        coverage = found.coverage(measure, worst=case.is_headline)
        yield Figure(f"{name}: coverage of {measure}", coverage, "%", least=least, most=most)
    if not case.has_chances:
        yield Figure(f"{name}: chains shown", found.chains_shown, "values", most=0)
    if name.startswith("all tiers alike"):
        yield Figure(f"{name}: with a recommendation", _percent(found.given), "%", most=5)
        yield Figure(f"{name}: cells with one", _percent(found.cells_given), "%", most=2)


def figures_of_all(found: list[Tally]) -> Iterator[Figure]:
    """Yield what all cases' logs came to together."""
    for measure in MEASURES:
        held = [one for each in found for one in each.held[measure]]
        yield Figure(
            f"{len(held):,} intervals of {measure} of all cases: coverage",
            _percent(held),
            "%",
            least=94,
            most=97,
        )
    early, hidden = sum(each.early for each in found), sum(each.hidden for each in found)
    yield Figure("values shown below an effective count of 8", early, "values", most=0)
    yield Figure("values hidden from an effective count of 15 on", hidden, "values", most=0)


def _percent(flags: list[bool]) -> float:
    return 100 * float(np.mean(flags)) if flags else float("nan")
