/** A message is one and the same on each medium: id, bytes, position, order (R54). */
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { DURABLE } from '../../support/past.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import type { DeviceOptions } from './device-guest.ts'
import { type Guest, type Heard, MEDIA, type Medium, type Said, sorted } from './guest.ts'
import { comes, newRoom } from './guests.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway?.stop())

/** Who listens: MQTT by each QoS, by what all share and by what is written for one alone. */
const LISTENERS: readonly (readonly [Medium, DeviceOptions?])[] = [
  ['binary'],
  ['json'],
  ['mqtt 3.1.1', { qos: 0 }],
  ['mqtt 3.1.1', { qos: 2 }],
  ['mqtt 5', { qos: 0, stamps: false }],
  ['mqtt 5', { qos: 0 }],
  ['mqtt 5', { qos: 1 }],
  ['mqtt 5', { qos: 2 }],
]

async function listeners(room: string, secret: string): Promise<Guest[]> {
  return Promise.all(
    LISTENERS.map(async ([medium, options]) => {
      const guest = await comes(gateway, medium, secret, options)
      await guest.enters(room)
      return guest
    }),
  )
}

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const name = word.filter((each) => !/^porthouse-/i.test(each) && !/\0|^__proto__$/.test(each))

const said: fc.Arbitrary<Said> = fc.record(
  {
    channel: fc.constantFrom('', 'a', 'a/b', 'température/1'),
    content: fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    ),
    contentType: word.filter((each) => !each.includes('\0')),
    replyTo: fc.constantFrom('room:acme/else/answers', 'client:acme/ann', 'socket:abcdefgh'),
    correlation: fc.uint8Array({ minLength: 1, maxLength: 128 }).map((each) => Buffer.from(each)),
    headers: fc
      .dictionary(
        name,
        word.filter((each) => !each.includes('\0')),
        { maxKeys: 4 },
      )
      .map((each) => Object.entries(each)),
    expiresAfter: fc.integer({ min: 100, max: 0xffff_ffff }),
  },
  { requiredKeys: ['content'] },
)

/** What of it the sender's medium can say. */
function sayable(medium: Medium, message: Said): Required<Omit<Said, 'retain' | 'key'>> {
  const { channel = '', content = '' } = message
  const rest = medium === 'mqtt 3.1.1' ? {} : message
  return {
    channel,
    content: medium === 'mqtt 3.1.1' ? Buffer.from(content) : content,
    contentType: rest.contentType ?? '',
    replyTo: rest.replyTo ?? '',
    correlation: rest.correlation ?? Buffer.alloc(0),
    headers: rest.headers ?? [],
    expiresAfter: rest.expiresAfter ?? 0,
  }
}

/** Checks what one has heard against what was said, as far as his medium tells it. */
function checks(heard: Heard, wanted: ReturnType<typeof sayable>): void {
  const { content, correlation, headers, expiresAfter, ...same } = wanted
  expect(heard.channel).toBe(wanted.channel)
  expect(heard.bytes).toEqual(Buffer.from(content))
  if (heard.headers === undefined) return
  expect(heard).toMatchObject({
    ...same,
    text: typeof content === 'string',
    correlation: correlation.toString('hex'),
    headers: sorted(headers),
  })
  // MQTT says what is left of it.
  const passed = heard.qos === undefined ? 0 : 60
  expect(heard.expiresAfter).toBeLessThanOrEqual(expiresAfter)
  expect(heard.expiresAfter).toBeGreaterThanOrEqual(Math.max(0, expiresAfter - passed))
}

/** One stamp for all who are told it. */
function oneStamp(heard: readonly Heard[]): void {
  const stamped = heard.filter(({ id }) => id !== undefined)
  expect(stamped).toHaveLength(5)
  const [first] = stamped
  for (const { id, from, sequence, timeMs } of stamped) {
    const { id: same, from: who, sequence: where, timeMs: when } = first as Heard
    expect({ id, from, sequence, timeMs }).toEqual({
      id: same,
      from: who,
      sequence: where,
      timeMs: when,
    })
  }
}

describe.each([
  ['that keeps nothing', []],
  ['that is durable', [DURABLE]],
])('in a room %s', (_, blocks) => {
  test.each(MEDIA)('what comes by %s is heard alike by all', async (medium) => {
    const { room, secret } = await newRoom(gateway, ...blocks)
    const all = await listeners(room, secret)
    const sender = await comes(gateway, medium, secret)
    await fc.assert(
      fc.asyncProperty(said, async (message) => {
        const receipt = await sender.says(room, message)
        expect(receipt.sockets).toBe(all.length)
        const heard = await Promise.all(all.map((each) => each.hears()))
        oneStamp(heard)
        const [{ id, sequence, from }] = heard as [Heard]
        expect(id).toBe(Buffer.from(receipt.id).toString('hex'))
        expect(sequence).toBe(Number(receipt.sequence))
        expect(from).toBe(sender.address)
        for (const each of heard) checks(each, sayable(medium, message))
      }),
      { numRuns: 40 },
    )
    for (const each of all) expect(each.waiting).toEqual([])
  })

  test('all hear one order, whoever speaks at the same time', async () => {
    const { room, secret } = await newRoom(gateway, ...blocks)
    const all = await listeners(room, secret)
    const senders = await Promise.all(
      [...MEDIA, ...MEDIA].map((medium) => comes(gateway, medium, secret)),
    )
    const EACH = 40
    await Promise.all(
      senders.map(async (sender, who) => {
        for (let i = 1; i <= EACH; i++) await sender.says(room, `${who} ${i}`)
      }),
    )
    const heard = await Promise.all(all.map((each) => each.hearsAll(senders.length * EACH)))
    const [order] = heard.map((each) => each.map(({ bytes }) => bytes.toString()))
    for (const each of heard) expect(each.map(({ bytes }) => bytes.toString())).toEqual(order)
    const positions = Array.from({ length: senders.length * EACH }, (_, i) => i + 1)
    const stamped = heard.filter(([first]) => first?.sequence !== undefined)
    for (const each of stamped) expect(each.map(({ sequence }) => sequence)).toEqual(positions)
    for (const who of senders.keys()) {
      const own = order?.filter((each) => each.startsWith(`${who} `))
      expect(own).toEqual(Array.from({ length: EACH }, (_, i) => `${who} ${i + 1}`))
    }
  })
})
