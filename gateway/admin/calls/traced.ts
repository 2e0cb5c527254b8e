/** Calls of the admin API as spans (OpenTelemetry); of a stream, its opening. */

import type { Interceptor } from '@connectrpc/connect'
import { SpanKind } from '@opentelemetry/api'
import { activeTracer, contextOf, within } from '../../observe/tracing.ts'

export const traced: Interceptor = (next) => (request) => {
  const tracer = activeTracer()
  if (!tracer) return next(request)
  const { header, service, method } = request
  const parent = contextOf(header.get('traceparent') ?? '', header.get('tracestate') ?? '')
  const attributes = {
    'rpc.system': 'connect_rpc',
    'rpc.service': service.typeName,
    'rpc.method': method.name,
  }
  const name = `${service.typeName}/${method.name}`
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
  return within(span, parent, () => next(request))
}
