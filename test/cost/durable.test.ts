/** Storing messages costs the database no more than its budget: see budgets.ts. */
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { expect, onTestFinished, test } from 'vitest'
import { DURABLE, House } from '../crash/load/house.ts'
import { report } from '../crash/load/report.ts'
import { DebianServer } from '../store/debian.ts'
import { Relay } from '../support/relay.ts'
import { DURABLE_BATCH, durableBudget } from './budgets.ts'
import { Arrivals } from './load/arrivals.ts'
import { WebSocketPeer } from './load/websocket-peer.ts'
import { Statements, type StoreCosts } from './statements.ts'

const BATCHES = 20

/** Of the connections on which a gateway stores messages. */
const APPLICATION_NAME = 'porthouse history'

test('messages that come together are stored together', { timeout: 60_000 }, async () => {
  const server = await DebianServer.start()
  onTestFinished(() => server.stop())
  const statements = new Statements(APPLICATION_NAME)
  await using relay = await Relay.to(server.port, (client, chunk) => statements.hear(client, chunk))
  const databaseUrl = server.options.url.replace(`:${server.port}/`, `:${relay.port}/`)
  const house = await House.build({ rooms: { board: [DURABLE] }, databaseUrl })
  onTestFinished(() => house.close())
  await house.start()

  const arrivals = new Arrivals()
  const port = Number(new URL(house.url).port)
  const entry = {
    port,
    token: house.token,
    room: 'acme/board',
    sendOnly: true,
    acknowledges: false,
  }
  const sender = await WebSocketPeer.open(entry, arrivals)
  const payload = Buffer.alloc(128, 'payload')
  const messages = Array.from({ length: DURABLE_BATCH }, (_, i) =>
    sender.publish(payload, 1 + i, ReceiptLevel.STORED),
  )
  const bytes = Buffer.concat(messages)
  const store = async (batches: number) => {
    for (let batch = 0; batch < batches; batch++) {
      const receipts = arrivals.due(DURABLE_BATCH)
      sender.send(bytes)
      await receipts
    }
  }
  // The first one has the statement parsed.
  await store(2)
  const before = statements.costs
  await store(BATCHES)
  const after = statements.costs
  sender.close()

  const costs = Object.keys(after) as (keyof StoreCosts)[]
  const found = costs.map((cost) => [cost, (after[cost] - before[cost]) / BATCHES] as const)
  report(`storing ${DURABLE_BATCH} messages`, Object.fromEntries(found))
  for (const [cost, value] of found) {
    expect.soft(value, cost).toBeLessThanOrEqual(durableBudget[cost][1])
  }
})
