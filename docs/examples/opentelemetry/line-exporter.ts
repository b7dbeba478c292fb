import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'

/**
 * Writes each span as a line of JSON, to see what there is. In production take an exporter for what
 * collects them, such as `OTLPTraceExporter` of `@opentelemetry/exporter-trace-otlp-http`.
 */
export class LineExporter implements SpanExporter {
  export(spans: readonly ReadableSpan[], onDone: (result: ExportResult) => void): void {
    for (const span of spans)
      process.stdout.write(`${JSON.stringify({ span: spanFields(span) })}\n`)
    onDone({ code: ExportResultCode.SUCCESS })
  }

  async shutdown(): Promise<void> {}
}

function spanFields(span: ReadableSpan): object {
  const { traceId, spanId } = span.spanContext()
  const parentId = span.parentSpanContext?.spanId ?? null
  const { name, kind, status, attributes } = span
  return { name, kind, traceId, spanId, parentId, status: status.code, attributes }
}
