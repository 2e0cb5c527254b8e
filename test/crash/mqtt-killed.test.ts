/**
 * P-1 over MQTT: kill -9 of the gateway between PUBLISH and PUBACK, or PUBREC, at random moments
 * under load. What was acknowledged is there: in a durable room, and in the queue of a session that
 * is away from a room that keeps nothing itself.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { MqttClient } from '../support/mqtt-client.ts'
import type { Named } from './journal.ts'
import { DURABLE, House } from './load/house.ts'
import { MqttPublisher } from './load/mqtt-publisher.ts'
import { rounds, seed, seeded } from './load/random.ts'
import { readHistory } from './load/reader.ts'
import { percentile, report } from './load/report.ts'
import { doubled, judgePublished } from './mqtt-oracle.ts'

const ROUNDS = process.env.CRASH_ROUNDS === undefined ? 6 : rounds(20)
/** Of all publishers. */
const PER_SECOND = 800
/** A round's moment lies between these, in ms after all publishers are acknowledged something. */
const MOMENT_MIN = 20
const MOMENT_MAX = 500

const SETTINGS = {
  // Slow machines are not what is tried here.
  PORTHOUSE_HISTORY_WAIT_MS: '60000',
  PORTHOUSE_MQTT_QUEUE_MESSAGES: '1000000',
  PORTHOUSE_MQTT_QUEUE_BYTES: '1073741824',
}

const KINDS = [
  { version: 4, qos: 1, keyed: false },
  { version: 4, qos: 2, keyed: false },
  { version: 5, qos: 1, keyed: false },
  { version: 5, qos: 2, keyed: false },
  { version: 5, qos: 1, keyed: true },
] as const

const ROOMS = [
  { room: 'acme/board', isDurable: true },
  { room: 'acme/yard', isDurable: false },
] as const

test('nothing that was acknowledged is lost', { timeout: 60_000 + ROUNDS * 10_000 }, async () => {
  const random = seeded(seed)
  const house = await House.build({ rooms: { board: [DURABLE], yard: [] }, env: SETTINGS })
  onTestFinished(() => house.close())
  await house.start()
  await goAway(house)
  const publishers = publishersOf(house)
  onTestFinished(async () => void (await Promise.all(publishers.map((one) => one.close()))))
  const unshown: number[] = []
  const recovered: number[] = []
  let killedAt = performance.now()
  for (let round = 1; round <= ROUNDS; round++) {
    await acknowledgedAfter(publishers, killedAt)
    if (round > 1) recovered.push(performance.now() - killedAt)
    await delay(MOMENT_MIN + random() * (MOMENT_MAX - MOMENT_MIN))
    if (publishers.every(({ waiting }) => waiting === 0)) unshown.push(round)
    killedAt = performance.now()
    await house.kill()
    await house.start()
  }
  await Promise.all(publishers.map((one) => one.settle()))
  const board = (await readHistory(house.way, 'acme/board')).messages
  const yard = await comeBack(house)
  const published = publishers.flatMap((one) => one.published)
  const verdict = judgePublished(
    published,
    new Map<string, readonly Named[]>([
      ['acme/board', board],
      ['acme/yard', yard],
    ]),
  )
  const again = published.filter(({ attempts }) => attempts > 1)
  report('P-1 gateway kill -9, MQTT', {
    rounds: ROUNDS,
    published: published.length,
    acknowledged: published.filter(({ isAcknowledged }) => isAcknowledged).length,
    'sent again': again.length,
    lost: verdict.count('lost'),
    reordered: verdict.count('reordered'),
    'doubled, durable': doubled(board).length,
    'and in a queue': doubled(yard).length,
    'of these with a key': doubled(yard).filter(({ publisher }) => publisher.endsWith('keyed'))
      .length,
    'recovered p50 ms': percentile(recovered, 50),
    'p95 ms': percentile(recovered, 95),
    seed: `${seed}`,
  })
  expect(verdict.complaints, `seed ${seed}`).toEqual([])
  // At nearly every moment something is on its way.
  expect(unshown.length, `rounds ${unshown}`).toBeLessThan(ROUNDS / 2)
  expect(again.length).toBeGreaterThan(0)
  expect(published.every(({ isAcknowledged }) => isAcknowledged)).toBe(true)
})

function publishersOf(house: House): MqttPublisher[] {
  const count = ROOMS.length * KINDS.length
  return ROOMS.flatMap((where) =>
    KINDS.map((kind) => {
      const { version, qos, keyed } = kind
      const name = `${where.room.split('/')[1]}-${version}-${qos}${keyed ? '-keyed' : ''}`
      const { token } = house
      const port = () => house.mqttPort
      const perSecond = PER_SECOND / count
      return new MqttPublisher({ port, token, name, perSecond, ...where, ...kind })
    }),
  )
}

/** Resolves when each has had an acknowledgement since then. */
async function acknowledgedAfter(publishers: MqttPublisher[], at: number): Promise<void> {
  while (publishers.some(({ acknowledgedAt }) => acknowledgedAt <= at)) await delay(5)
}

async function arrive(house: House): Promise<MqttClient> {
  const client = await MqttClient.open(house.mqttPort, { version: 5, kept: true })
  const { reasonCode } = await client.connect({
    username: 'acme',
    password: house.token,
    clientId: 'away',
    clean: false,
    properties: { sessionExpiryInterval: 3_600 },
  })
  expect(reasonCode).toBe(0)
  return client
}

async function goAway(house: House): Promise<void> {
  const client = await arrive(house)
  expect(await client.subscribe('acme/yard/#', 2)).toEqual([2])
  await client.disconnect()
}

/** All that is in the queue, up to what is published last. */
async function comeBack(house: House): Promise<Named[]> {
  const last = await MqttClient.connected(house.mqttPort, {
    version: 5,
    username: 'acme',
    password: house.token,
  })
  expect(await last.publish('acme/yard/load', 'end', { qos: 1 })).toBe(0)
  await last.disconnect()
  const client = await arrive(house)
  const heard: Named[] = []
  for (;;) {
    const text = (await client.message()).payload.toString()
    if (text === 'end') break
    const [publisher = '', seq] = text.split(':')
    heard.push({ publisher, seq: Number(seq) })
  }
  client.reset()
  return heard
}
