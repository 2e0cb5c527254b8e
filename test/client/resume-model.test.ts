/** Whatever fails, each message is heard once and in order, or told as missed (R43). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hears, splitRoom } from '../../clients/ts/src/address.ts'
import { connect, type Lost, type Message, type Receipt } from '../../clients/ts/src/index.ts'
import { FakeGateway, type Logged, room } from './fake-gateway.ts'

type Step =
  | { kind: 'say'; channel: string }
  | { kind: 'turns'; count: number }
  | { kind: 'send' | 'double' | 'cut' | 'loseReceipts' | 'restart' | 'pause' }
  | { kind: 'cutAfter' | 'trim' | 'refuse'; count: number }

const channel = fc.constantFrom('', 'a', 'b')
const plain = fc.constantFrom('send', 'double', 'cut', 'loseReceipts', 'pause')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: channel.map((channel) => ({ kind: 'say' as const, channel })) },
  { weight: 6, arbitrary: plain.map((kind) => ({ kind }) as Step) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 12 }).map((count) => ({ kind: 'turns' as const, count })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('cutAfter' as const, 'trim' as const, 'refuse' as const),
      count: fc.nat(6),
    }),
  },
)

const ADDRESSES = [room, `${room}/a`, `${room}/*`]

interface Heard {
  readonly address: string
  readonly messages: Message[]
  readonly gaps: Lost[]
}

test('any sequence of faults', { timeout: 120_000 }, async () => {
  const faults = fc.array(step, { minLength: 1, maxLength: 40 })
  const addresses = fc.shuffledSubarray(ADDRESSES, { minLength: ADDRESSES.length })
  await fc.assert(fc.asyncProperty(faults, addresses, fc.nat(20), run), { numRuns: 150 })
})

async function run(
  steps: readonly Step[],
  addresses: readonly string[],
  before: number,
): Promise<void> {
  const gateway = await FakeGateway.start()
  for (let index = 0; index < before; index++) gateway.say(index % 2 ? 'a' : '', `before ${index}`)
  const client = await connect(gateway.peer.url, { token: 'x', backoff: { baseMs: 0 } })
  try {
    const all: Heard = { address: room, messages: [], gaps: [] }
    collect(client.messages(), all)
    const readers: Heard[] = [all]
    for (const address of addresses) {
      const joined = await client.join(address, { since: 'start' })
      const heard: Heard = { address, messages: [], gaps: [] }
      joined.on('gap', (gap) => heard.gaps.push(gap))
      collect(joined.messages(), heard)
      readers.push(heard)
    }
    client.on('gap', (gap) => all.gaps.push(gap))
    client.on('lost', (lost) => {
      for (const { gaps } of readers) gaps.push(lost)
    })
    const sends = new Map<string, Promise<Receipt>>()
    for (const [index, each] of steps.entries()) {
      const text = `message ${index}`
      if (each.kind === 'say') gateway.say(each.channel, text)
      else if (each.kind === 'send') sends.set(text, client.send(room, text, { retry: true }))
      else if (each.kind === 'pause') await client.send(room, text, { retry: true })
      else if (each.kind === 'turns') await turns(each.count)
      else if ('count' in each) gateway[each.kind](each.count)
      else gateway[each.kind]()
    }
    const receipts = new Map<string, Receipt>()
    for (const [text, send] of sends) receipts.set(text, await send)
    await ended(gateway, readers)
    for (const heard of readers) check(gateway, heard)
    // What two listeners hear comes to the client as the first of them has it.
    for (const { messages } of readers.slice(1)) inOrder(messages)
    // Keys go with the gateway's memory.
    if (steps.every(({ kind }) => kind !== 'restart')) once(gateway.all, receipts)
  } finally {
    await client.close()
    await gateway.stop()
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

function collect(messages: AsyncIterable<Message>, heard: Heard): void {
  void (async () => {
    for await (const message of messages) heard.messages.push(message)
  })()
}

/** A last message that all hear, said when all are live. */
async function ended(gateway: FakeGateway, readers: readonly Heard[]): Promise<void> {
  await gateway.isLive(ADDRESSES.length)
  gateway.say('a', 'the end')
  while (!readers.every(({ messages }) => messages.at(-1)?.text === 'the end')) {
    await new Promise(setImmediate)
  }
}

function check(gateway: FakeGateway, { address, messages, gaps }: Heard): void {
  const known = new Set(messages.map(({ epoch, sequence }) => `${epoch}/${sequence}`))
  expect(known.size).toBe(messages.length)
  for (const said of gateway.all) {
    const { epoch, sequence, channel, own } = said
    if (own || !hears(splitRoom(address).channel, channel)) continue
    if (known.has(`${epoch}/${sequence}`)) continue
    const told = gaps.some((gap) => covers(gap, said))
    expect({ ...said, told }).toEqual({ ...said, told: true })
  }
}

function inOrder(messages: readonly Message[]): void {
  const order = messages.map(({ epoch, sequence }) => epoch * 1_000_000n + sequence)
  expect(order).toEqual(order.toSorted((one, other) => Number(one - other)))
}

/** A gap without an end lasts to the end of its epoch, and to the beginning of what follows. */
function covers({ epoch, from, to }: Lost, said: Logged): boolean {
  if (said.epoch === epoch) return said.sequence >= from && (to === 0n || said.sequence <= to)
  return to === 0n && said.epoch > epoch
}

function once(all: readonly Logged[], receipts: ReadonlyMap<string, Receipt>): void {
  for (const [text, { epoch, sequence }] of receipts) {
    expect(all.filter((said) => said.text === text)).toMatchObject([{ epoch, sequence, own: true }])
  }
}
