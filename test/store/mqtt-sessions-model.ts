/** The database's sessions do what those in memory do, whatever they are asked in what order. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MqttSessions, Queued } from '../../gateway/store/mqtt-sessions.ts'
import { MemoryStore } from '../support/memory-store.ts'
import type { Fixture } from './fixture.ts'

const session = fc.nat(1)
/** Seconds. */
const time = fc.nat(4)
const topic = fc.constantFrom('a', 'a/b', 'ü')
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const)
const messageId = fc.integer({ min: 1, max: 4 })
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const message = fc.record({
  topic,
  qos,
  size: fc.nat(4),
  room: maybe(fc.nat(1)),
  messageId: maybe(messageId),
  expiresAt: maybe(time),
})

const step = fc.oneof(
  fc.record({
    kind: fc.constant('open' as const),
    session,
    at: time,
    expiryS: time,
    will: maybe(time),
  }),
  fc.record({
    kind: fc.constant('leave' as const),
    session,
    at: time,
    expiryS: time,
    willAt: maybe(time),
  }),
  fc.record({ kind: fc.constant('expire' as const), at: time }),
  fc.record({ kind: fc.constant('wills' as const), at: time, isSent: fc.boolean() }),
  fc.record({
    kind: fc.constant('subscribe' as const),
    session,
    topics: fc.array(fc.record({ topic, qos, room: maybe(fc.nat(1)) }), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('unsubscribe' as const), session, topics: fc.array(topic) }),
  fc.record({ kind: fc.constant('listeners' as const), awayAt: maybe(time), limit: fc.nat(5) }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      messages: fc.array(fc.tuple(session, message), { minLength: 1, maxLength: 6 }),
      most: fc.integer({ min: 1, max: 6 }),
      bytes: fc.integer({ min: 2, max: 20 }),
    }),
  },
  fc.record({
    kind: fc.constant('page' as const),
    session,
    limit: fc.integer({ min: 1, max: 5 }),
    bytes: fc.nat(40),
    at: time,
  }),
  fc.record({ kind: fc.constant('assign' as const), session, place: fc.nat(3), messageId }),
  fc.record({
    kind: fc.constantFrom('release' as const, 'take' as const),
    session,
    messageIds: fc.array(messageId, { maxLength: 3 }),
  }),
)

/** Otherwise most of what is asked would be of nobody. */
const opened = [0, 1].map(
  (at): Step => ({ kind: 'open', session: at, at: 0, expiryS: 2, will: undefined }),
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const start = Date.parse('2030-01-01')
const moment = (seconds: number) => new Date(start + seconds * 1_000)

/** One of the two, with keys and rooms of its own that the steps know by their numbers. */
class Side {
  readonly #sessions: MqttSessions
  readonly #rooms: readonly string[]
  readonly keys = ['a', 'b'].map((name) => `${name}-${randomUUID()}`)

  constructor(sessions: MqttSessions, rooms: readonly string[]) {
    this.#sessions = sessions
    this.#rooms = rooms
  }

  /** What it answers, without what is its own. */
  async take(one: Step): Promise<unknown> {
    try {
      return await this.#take(one)
    } catch (error) {
      return (error as { failure?: string }).failure ?? error
    }
  }

  async #take(one: Step): Promise<unknown> {
    const sessions = this.#sessions
    switch (one.kind) {
      case 'open': {
        const will = one.will !== undefined && {
          will: { body: Buffer.from('w'), delayS: one.will },
        }
        const who = { key: this.keys[one.session]!, principal: 'model', clientId: 'c' }
        return sessions.open({ ...who, expiryS: one.expiryS, ...will }, moment(one.at))
      }
      case 'leave': {
        const willAt = one.willAt !== undefined && { willAt: moment(one.willAt) }
        const left = { at: moment(one.at), expiryS: one.expiryS, ...willAt }
        return sessions.leave(this.keys[one.session]!, left)
      }
      case 'expire':
        return this.#own(await sessions.expire(moment(one.at), 1_000))
      case 'wills': {
        const due = (await sessions.dueWills(moment(one.at), 1_000)).map(({ key }) => key)
        const own = due.filter((key) => this.keys.includes(key))
        if (one.isSent) await sessions.sentWills(own)
        return this.#own(own)
      }
      default:
        return this.#takeOfSession(one)
    }
  }

  async #takeOfSession(one: Exclude<Step, { kind: 'open' | 'leave' | 'expire' | 'wills' }>) {
    const { subscriptions, queue } = this.#sessions
    switch (one.kind) {
      case 'subscribe': {
        const topics = one.topics.map(({ room, ...each }) => ({ ...each, ...this.#in(room) }))
        return subscriptions.add(this.keys[one.session]!, topics)
      }
      case 'unsubscribe':
        return subscriptions.remove(this.keys[one.session]!, one.topics)
      case 'listeners': {
        const awayAt = one.awayAt !== undefined && { awayAt: moment(one.awayAt) }
        const found = await subscriptions.inRooms(this.#rooms, { limit: one.limit, ...awayAt })
        return found.map(({ key, roomId, ...rest }) => ({ ...rest, key: this.keys.indexOf(key) }))
      }
      case 'add': {
        const added = one.messages.map(
          ([at, { size, room, messageId: id, expiresAt, ...each }]) => ({
            ...each,
            key: this.keys[at]!,
            body: Buffer.alloc(size, 'b'),
            ...this.#in(room),
            ...(id !== undefined && { messageId: id }),
            ...(expiresAt !== undefined && { expiresAt: moment(expiresAt) }),
          }),
        )
        const dropped = await queue.add(added, { messages: one.most, bytes: one.bytes })
        return [...dropped].map(([key, count]) => [this.keys.indexOf(key), count]).sort()
      }
      case 'page':
        return this.#page(one.session, one)
      case 'assign': {
        const all = { limit: 1_000, bytes: 1e9, at: moment(0) }
        const messages = await queue.page(this.keys[one.session]!, all)
        const number = messages[one.place]?.number ?? -1
        const { messageId: id } = one
        return queue.assign(this.keys[one.session]!, [{ number, messageId: id }])
      }
      case 'release':
        return (await queue.release(this.keys[one.session]!, one.messageIds)).sort()
      case 'take': {
        const taken = await queue.take(this.keys[one.session]!, one.messageIds)
        return taken.map((each) => this.#plain(each))
      }
    }
  }

  /** All that there is. */
  async whole(): Promise<unknown> {
    return Promise.all(
      this.keys.map(async (key, i) => {
        const { key: _, ...found } = (await this.#sessions.find(key)) ?? {}
        const subscriptions = await this.#sessions.subscriptions.list(key)
        const page = await this.#page(i, { limit: 1_000, bytes: 1e9, at: 0 })
        return [found, subscriptions.map(({ roomId: __, ...each }) => each), page]
      }),
    )
  }

  async #page(at: number, range: { limit: number; bytes: number; at: number }) {
    const whole = { limit: range.limit, bytes: range.bytes, at: moment(range.at) }
    const messages = await this.#sessions.queue.page(this.keys[at]!, whole)
    return messages.map((each) => this.#plain(each))
  }

  #plain({ key: _, number: __, roomId, body, ...rest }: Queued): object {
    const room = roomId === undefined ? undefined : this.#rooms.indexOf(roomId)
    return { ...rest, body: Buffer.from(body).toString(), room }
  }

  #in(room: number | undefined) {
    return room === undefined ? {} : { roomId: this.#rooms[room]! }
  }

  #own(keys: readonly string[]): number[] {
    return keys
      .map((key) => this.keys.indexOf(key))
      .filter((at) => at >= 0)
      .sort()
  }
}

export function mqttSessionsModel(fixture: Fixture): void {
  test('sessions of MQTT clients are those of the model in any course', async () => {
    const { newRoom } = fixture.rooms()
    const rooms = [await newRoom(), await newRoom()]
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const memory = new MemoryStore()
        const its = ['a/one', 'a/two'].map((address) => memory.room(address).id)
        const model = new Side(memory.mqttSessions, its)
        const real = new Side(fixture.store.mqttSessions, rooms)
        for (const one of [...opened, ...steps])
          expect(await real.take(one)).toEqual(await model.take(one))
        expect(await real.whole()).toEqual(await model.whole())
        await fixture.store.mqttSessions.delete(real.keys)
      }),
      { numRuns: 60 },
    )
  })
}
