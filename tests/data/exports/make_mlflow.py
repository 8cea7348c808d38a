"""Write the files of MLflow: two runs of an agent, traced in a database of its own.

In an environment with mlflow 3.17.2 and pyarrow: ``python make_mlflow.py``.
"""

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import SpanType

HERE = Path(__file__).parent


@mlflow.trace(span_type=SpanType.AGENT)
def fixer(messages: list[dict[str, str]]) -> dict[str, str]:
    return chat(messages)


@mlflow.trace(span_type=SpanType.CHAT_MODEL)
def chat(messages: list[dict[str, str]]) -> dict[str, str]:
    span = mlflow.get_current_active_span()
    span.set_attribute("mlflow.llm.model", "gpt-4o")
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
    span.set_attribute("mlflow.chat.tokenUsage", usage)
    if "till" in messages[-1]["content"]:
        raise TimeoutError("no answer")
    return {"role": "assistant", "content": "Fixed."}


def public(value: Any) -> Any:
    """Return a value without this machine's paths."""
    if isinstance(value, str):
        for path, instead in ((sys.prefix, "/env"), (str(HERE), "/shop"), (scratch, "/shop")):
            value = value.replace(path, instead)
    if isinstance(value, list):
        return [public(each) for each in value]
    return {k: public(v) for k, v in value.items()} if isinstance(value, dict) else value


with tempfile.TemporaryDirectory() as scratch:
    os.chdir(scratch)
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("shop")
    fixer(
        [{"role": "system", "content": "be brief"}, {"role": "user", "content": "fix the basket"}]
    )
    with suppress(TimeoutError):
        fixer([{"role": "user", "content": "fix the till"}])
    mlflow.flush_trace_async_logging()
    first = mlflow.search_traces(order_by=["timestamp ASC"], return_type="list")[0]
    mlflow.log_feedback(trace_id=first.info.trace_id, name="correctness", value=0.9)
    traces = mlflow.search_traces(order_by=["timestamp ASC"], return_type="list")
    lines = "".join(public(trace.to_json()) + "\n" for trace in traces)
    (HERE / "mlflow_traces.jsonl").write_text(lines)
    frame = mlflow.search_traces(order_by=["timestamp ASC"])
    frame = frame.drop(columns="trace").map(public)  # the column repeats the others
    frame.to_parquet(HERE / "mlflow_search_traces.parquet")
