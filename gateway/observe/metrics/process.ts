/** Metrics of the process: event loop, garbage collection, heap, files, CPU (prom-client). */
import { collectDefaultMetrics, Registry } from 'prom-client'

/** They walk over every handle, which are as many as sockets; and some have names of counters. */
const LEFT_OUT = [
  'nodejs_active_resources',
  'nodejs_active_handles',
  'nodejs_active_requests',
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
]

let page: Registry | undefined

/** One for all gateways in a process, since what it begins to watch it never lets go of. */
export function processPage(): Registry {
  if (page) return page
  page = new Registry()
  collectDefaultMetrics({ register: page })
  for (const name of LEFT_OUT) page.removeSingleMetric(name)
  return page
}
