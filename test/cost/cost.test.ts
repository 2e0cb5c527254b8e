/** No delivery costs more than its budget: see budgets.ts. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { report } from '../crash/load/report.ts'
import { Allocations } from './allocations.ts'
import { begunMost, budgets } from './budgets.ts'
import { MeasuredGateway } from './gateway.ts'
import { ingest, rooms } from './loads.ts'
import { type Costs, measure, turns } from './measure.ts'

/** Messages whose path is kept by default (`why.messages`): what keeps them grows no more then. */
const PATHS = 10_000
const PATIENCE_MS = 120_000

let gateway: MeasuredGateway
let allocations: Allocations
/** Bytes in use when it began to listen. */
let begun: number

beforeAll(async () => {
  gateway = await MeasuredGateway.start({
    rooms: Object.fromEntries(rooms.map((room) => [room, []])),
  })
  begun = await gateway.inspector.evaluate<number>('process.memoryUsage().heapUsed')
  allocations = await Allocations.watch(gateway.inspector)
  const load = await ingest('websocket')(gateway)
  await turns(load, Math.ceil(PATHS / load.deliveries) + 1)
  for (const peer of load.peers) peer.close()
}, PATIENCE_MS)

afterAll(() => gateway?.close())

test('what its start left behind is collected before anybody comes', () => {
  expect(begun).toBeLessThanOrEqual(begunMost)
})

test.each(budgets)('$load', { timeout: PATIENCE_MS }, async ({ load: name, gather, costs }) => {
  const load = await gather(gateway)
  const found = await measure(gateway, allocations, load)
  for (const peer of load.peers) peer.close()
  const figures = Object.entries(found).map(([cost, value]) => [cost, value.toPrecision(4)])
  report(`a delivery, ${name}`, Object.fromEntries(figures))
  for (const [cost, [, most]] of Object.entries(costs)) {
    expect.soft(found[cost as keyof Costs], cost).toBeLessThanOrEqual(most)
  }
})
