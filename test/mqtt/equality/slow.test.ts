/** MQTT subscribers that do not read: their room's rule, and what they are told (R46, R54, L2). */
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { Code } from '@porthouse/proto/v1/code'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { block } from '../../support/past.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import { DeviceGuest } from './device-guest.ts'
import type { Guest } from './guest.ts'
import { comes, endOf, newRoom } from './guests.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start({ outbox: { bytes: 600_000 } })
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway?.stop())

const CHANNELS = 10
const PADDING = 'x'.repeat(50_000)
/** More than the kernel, the connection and the queue can hold together. */
const FLOOD = 250

/** Somebody who stops to read, and others in a room of that policy, one of whom has poured. */
async function poured(policy: Policy, medium: 'mqtt 3.1.1' | 'mqtt 5', qos: 0 | 1 | 2) {
  const { room, secret } = await newRoom(gateway, block('slowConsumers', { policy }))
  const slow = await DeviceGuest.comes(gateway.mqttPort, medium, secret, { qos })
  const fast = await comes(gateway, 'binary', secret)
  const sender = await comes(gateway, 'mqtt 5', secret)
  for (const guest of [slow, fast]) await guest.enters(room)
  slow.client.pause()
  const reading = fast.hearsAll(FLOOD)
  for (let i = 1; i <= FLOOD; i++) {
    const channel = `${i % CHANNELS}`
    await sender.says(room, { channel, content: `${i} ${PADDING}` })
  }
  expect((await reading).map(numberOf)).toEqual(upTo(FLOOD))
  return { room, slow, sender }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)
const numberOf = ({ bytes }: { bytes: Buffer }) =>
  Number(bytes.toString('latin1', 0, 8).split(' ')[0])

/** Says more until one of that is heard; gives the numbers of all that was heard. */
async function untilHeard(slow: DeviceGuest, sender: Guest, room: string): Promise<number[]> {
  for (let i = FLOOD + 1; ; i++) {
    await sender.says(room, { channel: 'end', content: `${i} end` })
    slow.client.send({ cmd: 'pingreq' })
    await slow.client.next('pingresp')
    if (!slow.waiting.some(({ channel }) => channel === 'end')) continue
    return (await slow.hearsAll(slow.waiting.length)).map(numberOf)
  }
}

interface Lost {
  readonly fromSequence: bigint
  readonly toSequence: bigint
  readonly count: number
  readonly code: Code
}

const VARIANTS = [
  ['mqtt 3.1.1', 0],
  ['mqtt 5', 0],
  ['mqtt 3.1.1', 1],
  ['mqtt 5', 1],
  ['mqtt 5', 2],
] as const

describe.each(VARIANTS)('over %s at QoS %i one that does not read', (medium, qos) => {
  test.each(['DROP_OLDEST', 'DROP_NEWEST', 'CONFLATE'] as const)(
    'is told exactly what it has lost by %s, and others lose nothing',
    async (name) => {
      const { room, slow, sender } = await poured(Policy[name], medium, qos)
      slow.client.resume()
      const got = await untilHeard(slow, sender, room)
      expect(got).toEqual([...new Set(got)].toSorted((a, b) => a - b))
      const missing = upTo(got.at(-1) as number).filter((n) => !got.includes(n))
      expect(missing.length).toBeGreaterThan(0)
      const lost: Lost[] = []
      while (slow.untold.includes('lost')) lost.push((await slow.hasTold('lost')) as never as Lost)
      expect(lost.reduce((sum, { count }) => sum + count, 0)).toBe(missing.length)
      for (const { code } of lost) expect(code).toBe(Code.SLOW_CONSUMER)
      for (const n of missing) {
        expect(lost.some((each) => each.fromSequence <= n && n <= each.toSequence)).toBe(true)
      }
      if (name !== 'CONFLATE') return
      const last = new Map(upTo(FLOOD).map((n) => [n % CHANNELS, n]))
      expect(got).toEqual(expect.arrayContaining([...last.values()]))
    },
  )

  test('is let go where its room says so', async () => {
    const { slow } = await poured(Policy.DISCONNECT, medium, qos)
    slow.client.resume()
    const ended = await slow.ended
    expect([endOf(medium, Code.SLOW_CONSUMER), undefined]).toContain(ended)
  })
})
