"""Emit COUNT traces of a chat inside an agent at RATE spans a second, by the SDK's own exporter.

Prints what its exporter got, and what the SDK's queue dropped before.
"""

import json
import sys
import time
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

count, rate = int(sys.argv[1]), float(sys.argv[2])
exported = failed = 0


class Counted(OTLPSpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        global exported, failed
        result = super().export(spans)
        exported += len(spans)
        failed += len(spans) * (result is not SpanExportResult.SUCCESS)
        return result


provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(Counted()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("client")
began = time.monotonic()
for number in range(count):
    with tracer.start_as_current_span("invoke_agent helper") as agent:
        agent.set_attribute("gen_ai.operation.name", "invoke_agent")
        agent.set_attribute("gen_ai.agent.name", "helper")
        with tracer.start_as_current_span("chat gpt-4o") as chat:
            chat.set_attribute("gen_ai.operation.name", "chat")
            chat.set_attribute("gen_ai.provider.name", "openai")
            chat.set_attribute("gen_ai.request.model", "gpt-4o")
            chat.set_attribute("gen_ai.usage.input_tokens", 10)
            chat.set_attribute("gen_ai.usage.output_tokens", 1)
    ahead = began + 2 * (number + 1) / rate - time.monotonic()
    if ahead > 0:
        time.sleep(ahead)
provider.force_flush()
provider.shutdown()
dropped = 2 * count - exported
seconds = time.monotonic() - began
report = {"exported": exported, "dropped": dropped, "failed": failed, "seconds": seconds}
print(json.dumps(report))
