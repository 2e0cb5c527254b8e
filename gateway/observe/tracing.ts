/**
 * OpenTelemetry traces, by its API alone: spans go to the provider that whoever runs the gateway
 * has registered, and where there is none nothing is done. See docs/tracing.md.
 */
import {
  type Context,
  context,
  createTraceState,
  isSpanContextValid,
  type ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { codeInfo, Refusal } from '../protocol/codes.ts'

const NAME = 'porthouse'

let provider: TracerProvider | undefined
let tracer: Tracer | undefined

/** Undefined as long as nobody has registered a provider, which may come at any time. */
export function activeTracer(): Tracer | undefined {
  const proxy = trace.getTracerProvider() as ProxyTracerProvider
  const now = proxy.getDelegate()
  if (now !== provider) {
    provider = now
    tracer = proxy.getDelegateTracer(NAME)
  }
  return tracer
}

/** What a sender gave as his own span (W3C Trace Context); the root where that is not one. */
export function contextOf(traceparent: string, tracestate: string): Context {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent) ?? []
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  if (!isSpanContextValid(span)) return ROOT_CONTEXT
  const traceState = tracestate === '' ? undefined : createTraceState(tracestate)
  return trace.setSpanContext(ROOT_CONTEXT, { ...span, ...(traceState && { traceState }) })
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/

/** Runs a call within a span, which ends with it; one that fails is marked so, without its text. */
export async function within<T>(span: Span, parent: Context, call: () => Promise<T>): Promise<T> {
  try {
    return await context.with(trace.setSpan(parent, span), call)
  } catch (error) {
    span.setAttribute('error.type', typeOf(error))
    span.setStatus({ code: SpanStatusCode.ERROR })
    throw error
  } finally {
    span.end()
  }
}

function typeOf(error: unknown): string {
  if (error instanceof Refusal) return codeInfo(error.code).name
  return error instanceof Error ? error.name : 'error'
}
