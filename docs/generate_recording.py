"""Make docs/recording.md from the mapping and the example; docs/generate.py writes it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import yaml

from orb_learning.capture.keeper import LONGEST_PAYLOAD
from orb_learning.capture.mapping import (
    ERROR_WORDS,
    METADATA_NAMES,
    OUTCOME_NAMES,
    RESULT_NAMES,
    TASK_NAMES,
)
from orb_learning.capture.routing import ROUTING_NAMES
from orb_learning.record.identity import NAMESPACE
from orb_learning.record.model import COLUMNS
from orb_learning.record.text_limits import LONG_TEXTS, LONGEST_TEXT
from orb_learning.record.validation import SCORE
from orb_learning.record.words import FAILED, SUCCEEDED

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/pool_manager.py"
NEEDED = {
    "timestamp": "needed: rejected without",
    "success": "needed: rejected without",
    "task_type": "needed, or task_description; else `unknown`",
    "task_description": "needed, or task_type; else NULL",
}
WITHOUT = {
    "task_id": "a new UUID; a decision and an outcome need it",
    "repo": "`unknown`",
    "model_tier": "told from `model` by the seed `model_tiers`; else `unknown`",
    "pool_type": "the pool's id; else `unknown`",
    "error_type": "told from the error's text, or from a status that failed",
    "uploaded_at": "the time of the load",
    "metadata": "NULL",
}
"""What is kept where nobody says a field; NULL otherwise."""
FROM = {
    "timestamp": "the start of the call, or of the block",
    "duration_seconds": "end − start; else `duration` or `duration_seconds` of the result",
    "success": "; else ".join(
        [
            f"`{OUTCOME_NAMES[0]}` of the result",
            *(f"`{name}`" for name in (*OUTCOME_NAMES[1:], "status")),
            "whether there is an error",
            "how the block ended",
        ]
    ),
    "uploaded_at": "–",
    "embedding": "`embedding`; the build makes the others",
}
"""What a field is told from, where that is not its own name."""
KINDS = {
    "UUID": "any id",
    "TIMESTAMP": "a time",
    "VARCHAR": "a text",
    "INTEGER": "a whole number",
    "BIGINT": "a whole number",
    "FLOAT": "a number",
    "BOOLEAN": "True or False",
    "FLOAT[384]": "384 numbers, an array, too",
    "JSON": "a mapping",
}
UNITS = {
    "duration_seconds": "seconds",
    "cost_estimate": "US dollars",
    "actual_cost": "US dollars",
    "peak_memory_mb": "MB",
    "cpu_time_seconds": "seconds",
}


def recording() -> str:
    """Return the text of docs/recording.md."""
    smallest, *manager = _shown()
    return (
        "\n\n".join(
            [
                "# Recording",
                "Made from the code by `make docs`; edit the code, not this page.",
                "## The smallest record",
                "It needs a time, an outcome, and a description or a task type. `orb build` then shows "
                "it in `executions`.",
                _code(smallest),
                "The block may be `with`, too, and `@learning.execution(task)` records each call of a "
                "function. Its start, its end, an exception, a timeout and a cancellation are recorded "
                "by themselves, and go on their way. A call lasts until what it returned is done: a "
                "coroutine, a generator, a future. A generator that is closed early has failed with "
                "`GeneratorExit`, and one that is never begun is no execution. The task may be a function "
                "of the call's arguments.",
                "Put a timeout inside: `async with learning.execution(task) as run, asyncio.timeout(60):`. "
                "Around the block it cancels what is in it, and a cancellation does not say why: the "
                "error is `CancelledError`, of the type `unknown`.",
                "## You say, we keep",
                "Task, result and decision may be mappings or objects with attributes. A value of the "
                "result goes before one of the task, and a field's own name before another name. "
                "`orb_learning.capture` has the types `Task`, `Result` and `Decision`.",
                "What is of another kind is a dead letter, and what is outside the range is rejected; both "
                f"say why. A score is {SCORE}: 0.9 is a dead letter, and 1.0 is 1 of 100.",
                _table(
                    ["we keep", "you say", "of the kind", "without"],
                    [_field(name) for name in COLUMNS],
                ),
                "These go into `metadata`: "
                + _names(METADATA_NAMES)
                + ", the pool's id as `pool_id`, and your own `metadata`. Of a decision, "
                + _names(ROUTING_NAMES)
                + " go into `metadata.routing`.",
                f"A status is a success if it is one of {_names(sorted(SUCCEEDED))}, and a failure if "
                f"it is one of {_names(sorted(FAILED))}. An error is of the type "
                + ", ".join(f"`{kind}` for “{words}”" for words, kind in ERROR_WORDS.items())
                + ", else `unknown`.",
                "## Ids",
                "A UUID in any usual spelling stays. Any other id, a text or a whole number, becomes "
                f"`uuid5(UUID('{NAMESPACE}'), 'orb-learning:' + scope + ':' + id)`; 7 and \"7\" are one "
                "id. An `id` of another kind is none: the record has a new UUID, counted as `no_id`. The "
                "scope is `learning.id_scope`. The id itself is in `metadata.external_id`. "
                "Feedback, `orb forget`, `orb executions` and the tool `list_executions` take it, of "
                "another system's executions, too. Your own orchestrator's task has it before any other's. Where "
                "several others have it, `orb forget` names their UUIDs, `list_executions` lists all, "
                "and feedback is a dead letter until it has a UUID. Feedback may be given first: it "
                "waits for the import. A record by a UUID may have a `metadata.external_id` of its "
                "own, by which it is found. Beside an id that is no UUID, it is kept as `given_external_id`. Beside a UUID of version 5, as those of other ids are, `external_id_is_own` is true.",
                "Such an id may come again: another description, and a start more than a day from every "
                "execution of the id, are another task. It is an execution of its own, "
                "`metadata.external_id_reused` is true, and `orb status` counts it. **Within that day the "
                "newest record of an id stands for all of its task**, as a correction would: give two "
                "tasks of a day two ids, and each retry its own (`attempt`, `first_task_id`).",
                "## Times",
                "A datetime, an ISO text, or a number since 1970, whose size tells seconds, milliseconds, "
                "microseconds or nanoseconds. One without a zone is this machine's local time; "
                "`learning.naive_times` says `utc`, or `refuse`.",
                "## What is not kept",
                "A result says its outcome by one of the names above; True or False alone is one, too. "
                "Where it says none, a block or a function that ended without an exception has "
                "succeeded, whatever else its result holds. What a pool stores or gives as an outcome "
                "needs one: without, and with a status of no known meaning or an `error_type` alone, the "
                "record is in `rejected_executions`.",
                "Other keys of a task, a result or a decision are not kept, so a misspelt one, or "
                "`exit_code: 1` alone, changes nothing. `telemetry.unread_keys()` counts them, and a "
                "warning names each once; of a task only what looks misspelt, as it may hold keys of "
                "your own. Put what you want to keep into `metadata`. They "
                "raise nothing with `strict=True`, as your task may hold what only you read. An "
                "object's other attributes are not looked at.",
                "Nothing raises, and nothing is lost silently. What is no record is a dead letter with "
                "its reason (`orb dead-letters list`). A record of the right types that breaks a rule "
                "is in `rejected_executions`. `telemetry.counts()` counts everything, and a warning of "
                "the logger `orb_learning` says what was refused: once a minute for each reason, and at "
                "the end. In tests, `TelemetryCapture(Outbox(folder), strict=True)` raises.",
                _lengths(),
                "## Secrets",
                "`LearningDatabase(redact=function)` calls the function with every text before it is "
                "written anywhere. `learning.redact_secrets` does it with built-in patterns: private "
                "keys, tokens of well-known services, credentials in addresses and headers, what is "
                "assigned to a name such as `password`, and e-mail addresses. Each changed text is "
                "counted as `redacted`. A record with a text that cannot be redacted is not kept, and `orb "
                "status` counts it as refused.",
                "## A PoolManager",
                "It draws a plan, tries the plan's next tier after a failure, and records each attempt. "
                "What it draws by: [learning.md](learning.md). The calls take microseconds. An "
                "accepted record is committed when the call returns. It reaches the database exactly "
                "once, in the background or by `orb load`, even when the process is killed. The whole: "
                "[examples/pool_manager.py](../examples/pool_manager.py).",
                *map(_code, manager),
            ]
        )
        + "\n"
    )


def _shown() -> list[str]:
    pattern = r"^ *# shown\n(.*?)\n+ *# to here$"
    smallest = re.findall(pattern, (ROOT / "examples/smallest.py").read_text(), re.M | re.S)
    return [
        textwrap.dedent(lines)
        for lines in [*smallest, *re.findall(pattern, EXAMPLE.read_text(), re.M | re.S)]
    ]


def _code(lines: str) -> str:
    return f"```python\n{lines}\n```"


def _field(name: str) -> list[str]:
    others = [*TASK_NAMES.get(name, ()), *RESULT_NAMES.get(name, ())]
    where = " of the task" if name in TASK_NAMES else " of the result"
    said = FROM.get(name) or (
        f"`{name}`" + (f"; else {_names(others, ' or ')}{where}" if others else "")
    )
    return [f"`{name}`", said, _kind(name), NEEDED.get(name) or WITHOUT.get(name, "NULL")]


def _kind(name: str) -> str:
    """Return what values a field takes, by its type and the rules that reject others."""
    kind = KINDS[COLUMNS[name]] + (", 1 or 0, or a word as below" if name == "success" else "")
    for rule in _rejecting(name):
        if range_of := re.search(r"between (\d+) and (\d+)$", rule):
            kind += f" from {range_of[1]} to {range_of[2]}"
        elif rule.endswith(">= 0"):
            kind += ", 0 or more"
        elif words := re.search(r" in \((.*)\)$", rule):
            kind = "one of " + ", ".join(f"`{word}`" for word in re.findall(r"'(\w+)'", words[1]))
    return f"{kind} ({UNITS[name]})" if name in UNITS else kind


def _rejecting(name: str) -> list[str]:
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    rules = project["vars"]["execution_rules"].values()
    return [
        rule["holds"] for rule in rules if rule["column"] == name and rule["on_break"] == "reject"
    ]


def _lengths() -> str:
    return (
        f"{_names(LONG_TEXTS)} are cut to {LONGEST_TEXT:,} characters; `metadata` says how long each "
        f"was. A record of more than {LONGEST_PAYLOAD:,} characters is a dead letter, cut."
    )


def _names(names: object, between: str = ", ") -> str:
    return between.join(f"`{name}`" for name in names)  # type: ignore[attr-defined]


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)
