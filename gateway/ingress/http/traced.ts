/** Requests as spans (OpenTelemetry), of those routes that are asked over plain HTTP. */
import { type Attributes, SpanKind } from '@opentelemetry/api'
import { activeTracer, contextOf, within } from '../../observe/tracing.ts'
import type { HttpRequest, Route } from './route.ts'

/** The same route; where nobody collects spans it is asked as it is. */
export function traced(route: Route): Route {
  const name = nameOf(route)
  return {
    ...route,
    answer(request, response, parts) {
      const tracer = activeTracer()
      if (!tracer) return route.answer(request, response, parts)
      const attributes: Attributes = {
        'http.request.method': request.method ?? '',
        'http.route': name,
      }
      const parent = contextOf(header(request, 'traceparent'), header(request, 'tracestate'))
      const options = { kind: SpanKind.SERVER, attributes }
      const span = tracer.startSpan(`${route.method} ${name}`, options, parent)
      return within(span, parent, async () => {
        await route.answer(request, response, parts)
        span.setAttribute('http.response.status_code', response.statusCode)
      })
    },
  }
}

/** Its path as it is written, without what makes it an expression. */
function nameOf({ path }: Route): string {
  return path.source.replaceAll(/[\\^$]/g, '')
}

function header({ headers }: HttpRequest, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}
