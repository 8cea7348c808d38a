"""Write the files of Phoenix: two runs of an agent, sent to a server of its own by OTLP.

In an environment with arize-phoenix 20.26.1 and pyarrow: ``python make_phoenix.py``.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from phoenix.client import Client
from phoenix.otel import register

HERE, URL = Path(__file__).parent, "http://127.0.0.1:6006"


def public(value: Any) -> Any:
    """Return a value without this machine's paths."""
    if isinstance(value, str):
        return value.replace(sys.prefix, "/env").replace(str(HERE), "/shop")
    if isinstance(value, list):
        return [public(each) for each in value]
    return {k: public(v) for k, v in value.items()} if isinstance(value, dict) else value


def wait(is_there: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError, httpx.HTTPError):  # no server yet, no project yet
            if is_there():
                return
        time.sleep(1)  # nothing tells when its server or project is there
    raise TimeoutError


def run(asked: str) -> None:
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": asked}]
    with tracer.start_as_current_span("fixer", openinference_span_kind="agent") as agent:
        agent.set_input(asked)
        with tracer.start_as_current_span("chat", openinference_span_kind="llm") as chat:
            chat.set_attribute("llm.model_name", "gpt-4o")
            chat.set_attribute("llm.provider", "openai")
            chat.set_attribute("llm.token_count.prompt", 1000)
            chat.set_attribute("llm.token_count.completion", 100)
            for number, message in enumerate(messages):
                for name, value in message.items():
                    chat.set_attribute(f"llm.input_messages.{number}.message.{name}", value)
            if "till" in asked:
                raise TimeoutError("no answer")
            chat.set_attribute("llm.output_messages.0.message.role", "assistant")
            chat.set_attribute("llm.output_messages.0.message.content", "Fixed.")
        agent.set_output("Fixed.")


with tempfile.TemporaryDirectory() as scratch:
    server = subprocess.Popen(
        [sys.executable, "-m", "phoenix.server.main", "serve"],
        env=os.environ | {"PHOENIX_WORKING_DIR": scratch, "PHOENIX_HOST": "127.0.0.1"},
    )
    try:
        wait(lambda: httpx.get(f"{URL}/healthz").is_success)
        provider = register(
            project_name="shop", endpoint=f"{URL}/v1/traces", batch=False, verbose=False
        )
        tracer = provider.get_tracer("shop")
        run("fix the basket")
        with suppress(TimeoutError):
            run("fix the till")
        client = Client(base_url=URL)
        wait(lambda: len(client.spans.get_spans(project_identifier="shop")) == 4)
        spans = client.spans.get_spans(project_identifier="shop")
        lines = "".join(public(json.dumps(span, default=str)) + "\n" for span in spans)
        (HERE / "phoenix_spans.jsonl").write_text(lines)
        frame = client.spans.get_spans_dataframe(project_identifier="shop")
        frame.map(public).to_parquet(HERE / "phoenix_spans.parquet")
    finally:
        server.terminate()
        server.wait()
