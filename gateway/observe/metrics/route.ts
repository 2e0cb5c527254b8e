/** What Prometheus scrapes. */
import { Registry } from 'prom-client'
import { type HttpRequest, type Route, respond } from '../../ingress/http/route.ts'
import type { Measured } from './family.ts'
import { processPage } from './process.ts'
import { pageOf } from './prometheus.ts'

/** The same for everybody, and for those alone whom `permit` does not reject. */
export interface MetricsRoutes {
  readonly open: Route
  readonly guarded: Route
}

export function metricsRoutes(
  measured: Measured,
  permit: (request: HttpRequest) => Promise<void>,
): MetricsRoutes {
  const page = Registry.merge([pageOf(measured), processPage()])
  const served = (permits: (request: HttpRequest) => Promise<void>): Route => ({
    method: 'GET',
    path: /^\/metrics$/,
    answer: async (request, response) => {
      await permits(request)
      const text = await page.metrics()
      respond(response, 200, { 'content-type': page.contentType }, text)
    },
  })
  return { open: served(async () => {}), guarded: served(permit) }
}
