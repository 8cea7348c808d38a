"""Run an agent of Pydantic AI with a made-up model that calls its tool; its spans go by OTLP."""

from contextlib import suppress

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
Agent.instrument_all()
agent = Agent(name="fixer")


@agent.tool_plain
def read_file(path: str) -> str:
    return f"the content of {path}"


@agent.tool_plain
def refuse(path: str) -> str:
    raise TimeoutError(f"no answer for {path}")


for asked, tool in (("fix the basket", "read_file"), ("fix the till", "refuse")):
    with suppress(TimeoutError):
        agent.run_sync(asked, model=TestModel(call_tools=[tool], custom_output_text="Fixed."))
provider.shutdown()
