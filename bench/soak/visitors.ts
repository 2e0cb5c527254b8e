/** Who comes by WebSocket with a token, takes part, and goes: politely, by the door or cut off. */
import type { Client } from '@porthouse/client'
import { ACCOUNT } from './house.ts'
import { Line } from './line.ts'
import { happens, PATIENCE_MS, type Scene } from './scene.ts'

const CELLS = 16

export async function visit(scene: Scene, n: number): Promise<void> {
  const { house, token } = scene
  const line = await Line.open(house.url, { token, reconnect: false })
  const { client } = line
  try {
    const hall = await client.join(`${ACCOUNT}/hall`, { since: { last: 20 }, presence: true })
    const ledger = await client.join(`${ACCOUNT}/ledger`, { since: { last: 20 } })
    const board = await client.join(`${ACCOUNT}/board`)
    await Promise.all([hall.caughtUp, ledger.caughtUp])
    await hall.send(`good morning from ${n}`, { headers: { n: String(n) } })
    await hall.send('hurried', { level: 'none', expiresAfter: 5 })
    await ledger.send(`entry ${n}`, { level: 'stored' })
    await board.send(JSON.stringify({ n }), { channel: `cells/${n % CELLS}` })
    await ledger.read()
    await ask(client, n)
    if (n % 3 === 0) await Promise.all([hall, ledger, board].map((room) => room.leave()))
    if (n % 3 === 1) line.cut()
    scene.tally('visits')
  } finally {
    await client.close()
  }
}

/** The clerk answers, to the socket alone. */
async function ask(client: Client, n: number): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const answers = client.messages({ signal })
  const correlationId = `question ${n}`
  const desk = await client.join(`${ACCOUNT}/desk/questions`, { sendOnly: true })
  await desk.send('what time is it?', { correlationId })
  for await (const { correlationId: of } of answers) {
    if (of && Buffer.from(of).toString() === correlationId) return
  }
}

/** Cut off twice, and twice back by the client's own doing, with all that was said meanwhile. */
export async function comeBack(scene: Scene): Promise<void> {
  const { house, token } = scene
  const line = await Line.open(house.url, { token })
  const { client } = line
  try {
    const ledger = await client.join(`${ACCOUNT}/ledger`)
    await client.join(`${ACCOUNT}/hall`)
    const messages = ledger.messages({ signal: AbortSignal.timeout(PATIENCE_MS) })
    for (const text of ['first', 'second']) {
      const back = happens('a reconnection', (resolve) => client.on('reconnected', resolve))
      line.cut()
      // Handed over while away: sent once it is back.
      const sent = ledger.send(`${text} ${client.socket}`, { level: 'stored' })
      await Promise.all([back, sent])
      scene.tally('reconnections')
    }
    await messages.return?.()
  } finally {
    await client.close()
  }
}
