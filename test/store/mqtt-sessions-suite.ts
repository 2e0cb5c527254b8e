/** Sessions of MQTT clients: of the database, and of the memory that stands for it in tests. */
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type {
  MqttSessions,
  MqttSubscriber,
  NewMqttSession,
  NewQueued,
  Queued,
} from '../../gateway/store/mqtt-sessions.ts'

/** A store with accounts and rooms of the test's own. */
export interface Clients {
  readonly sessions: MqttSessions
  newAccount(): Promise<string>
  /** UUID of a new room. */
  newRoom(): Promise<string>
  deleteRoom(roomId: string): Promise<void>
}

const start = new Date('2030-01-02T03:04:05.678Z')
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000)

const BOUNDS = { messages: 1_000, bytes: 1_000_000 }

export function mqttSessionsSuite(clients: () => Clients): void {
  const keeper = {
    get sessions() {
      return clients().sessions
    },
    /** One that is there, by its key. */
    async open(rest: Partial<NewMqttSession> = {}, at = start): Promise<string> {
      const session = newSession(rest)
      await this.sessions.open(session, at)
      return session.key
    },
    page: (key: string, rest: object = {}): Promise<Queued[]> =>
      clients().sessions.queue.page(key, { limit: 100, bytes: 1e9, at: start, ...rest }),
    add: (messages: readonly NewQueued[], bounds = BOUNDS) =>
      clients().sessions.queue.add(messages, bounds),
    newRoom: () => clients().newRoom(),
    deleteRoom: (roomId: string) => clients().deleteRoom(roomId),
    newAccount: () => clients().newAccount(),
  }
  lifeSuite(keeper)
  willSuite(keeper)
  subscriptionsSuite(keeper)
  queueSuite(keeper)
  incomingSuite(keeper)
}

type Keeper = Pick<Clients, 'sessions' | 'newAccount' | 'newRoom' | 'deleteRoom'> & {
  open(rest?: Partial<NewMqttSession>, at?: Date): Promise<string>
  page(key: string, rest?: object): Promise<Queued[]>
  add(messages: readonly NewQueued[], bounds?: typeof BOUNDS): Promise<ReadonlyMap<string, number>>
}

function newSession(rest: Partial<NewMqttSession> = {}): NewMqttSession {
  const key = randomUUID()
  return { key, principal: `token:${key}`, clientId: 'pump', expiryS: 60, ...rest }
}

function queued(key: string, text: string, rest: Partial<NewQueued> = {}): NewQueued {
  return { key, topic: 'acme/hall', qos: 1, body: Buffer.from(text), ...rest }
}

const textsOf = (messages: readonly Queued[]) =>
  messages.map(({ body }) => Buffer.from(body).toString())

function lifeSuite(keeper: Keeper): void {
  describe('a session', () => {
    test('is taken up as it was left, with what is said of it now', async () => {
      const accountId = await keeper.newAccount()
      const session = newSession({ accountId })
      expect(await keeper.sessions.open(session, start)).toBe(false)
      const first = await keeper.sessions.find(session.key)
      expect(first).toEqual({ ...session, createdAt: start, queued: { messages: 0, bytes: 0 } })
      await keeper.sessions.leave(session.key, { at: later(1), expiryS: 30 })
      const away = await keeper.sessions.find(session.key)
      expect(away).toEqual({ ...first, expiryS: 30, awaySince: later(1) })
      const will = { body: Buffer.from('gone'), delayS: 5 }
      const again = { ...session, clientId: 'pump 2', expiryS: 99, will }
      expect(await keeper.sessions.open(again, later(30))).toBe(true)
      expect(await keeper.sessions.find(session.key)).toEqual({ ...first, ...again })
    })

    test('that has ended is made anew, with nothing of before', async () => {
      const key = await keeper.open({ expiryS: 10 })
      await keeper.sessions.subscriptions.add(key, [{ topic: 'a/b', qos: 1 }])
      await keeper.add([queued(key, 'one')])
      await keeper.sessions.incoming.add([{ key, messageId: 7 }])
      expect(await keeper.sessions.leave(key, { at: start, expiryS: 10 })).toBe(true)
      expect(await keeper.sessions.open(newSession({ key }), later(10))).toBe(false)
      expect(await keeper.sessions.subscriptions.list(key)).toEqual([])
      expect(await keeper.page(key)).toEqual([])
      expect(await keeper.sessions.incoming.list(key)).toEqual([])
      const found = await keeper.sessions.find(key)
      expect(found).toMatchObject({ createdAt: later(10), queued: { messages: 0, bytes: 0 } })
    })

    test('that is not there does not leave', async () => {
      expect(await keeper.sessions.leave(randomUUID(), { at: start, expiryS: 10 })).toBe(false)
    })

    test('ends when its time is over, and not while its client is there', async () => {
      const short = await keeper.open()
      const long = await keeper.open()
      const connected = await keeper.open({ expiryS: 0 })
      const forEver = await keeper.open()
      await keeper.sessions.leave(short, { at: start, expiryS: 10 })
      await keeper.sessions.leave(long, { at: start, expiryS: 11 })
      await keeper.sessions.leave(forEver, { at: start, expiryS: 2 ** 32 - 1 })
      const own = [short, long, connected, forEver]
      const expired = await keeper.sessions.expire(later(10), 1_000)
      expect(expired.filter((key) => own.includes(key))).toEqual([short])
      expect(await keeper.sessions.find(short)).toBeUndefined()
      for (const key of own.slice(1)) expect(await keeper.sessions.find(key)).toBeDefined()
      await keeper.sessions.delete(own)
    })

    test('is one of its principal, those longest away first', async () => {
      const principal = `client:${randomUUID()}`
      const keys = await Promise.all([1, 2, 3].map(() => keeper.open({ principal })))
      await keeper.sessions.leave(keys[2]!, { at: later(1), expiryS: 60 })
      await keeper.sessions.leave(keys[1]!, { at: later(2), expiryS: 60 })
      const listed = await keeper.sessions.list(principal, 10)
      expect(listed.map(({ key }) => key)).toEqual([keys[2], keys[1], keys[0]])
      expect(await keeper.sessions.list(principal, 1)).toHaveLength(1)
      expect(await keeper.sessions.count(principal)).toBe(3)
      expect(await keeper.sessions.count()).toBeGreaterThanOrEqual(3)
      expect(await keeper.sessions.delete([keys[0]!, randomUUID()])).toBe(1)
      expect((await keeper.sessions.deleteOf(principal)).toSorted()).toEqual(
        [keys[1], keys[2]].toSorted(),
      )
      expect(await keeper.sessions.count(principal)).toBe(0)
    })

    test('whose gateway ended without a word is away, its will due after its delay', async () => {
      const will = { body: Buffer.from('gone'), delayS: 20 }
      const key = await keeper.open({ will, expiryS: 10 })
      expect(await keeper.sessions.abandon(start)).toBeGreaterThanOrEqual(1)
      expect(await keeper.sessions.abandon(start)).toBe(0)
      expect(await keeper.sessions.find(key)).toMatchObject({ awaySince: start })
      const due = async (at: Date) =>
        (await keeper.sessions.dueWills(at, 1_000)).filter((each) => each.key === key)
      expect(await due(later(9))).toEqual([])
      expect(await due(later(10))).toHaveLength(1)
      await keeper.sessions.delete([key])
    })
  })
}

function willSuite(keeper: Keeper): void {
  describe('a will', () => {
    const will = { body: Buffer.from('gone'), delayS: 5 }

    test('stays until it is sent, and its session with it', async () => {
      const key = await keeper.open({ will, clientId: 'pump', principal: `token:${randomUUID()}` })
      await keeper.sessions.leave(key, { at: start, expiryS: 5, willAt: later(5) })
      const own = async (at: Date) =>
        (await keeper.sessions.dueWills(at, 1_000)).filter((each) => each.key === key)
      expect(await own(later(4))).toEqual([])
      const [due] = await own(later(5))
      expect(due).toMatchObject({ key, clientId: 'pump', body: Buffer.from('gone') })
      expect(await keeper.sessions.expire(later(6), 1_000)).not.toContain(key)
      await keeper.sessions.sentWills([key])
      expect(await own(later(6))).toEqual([])
      expect(await keeper.sessions.expire(later(6), 1_000)).toContain(key)
    })

    test('is void where its client said so, or is there again', async () => {
      const said = await keeper.open({ will })
      await keeper.sessions.leave(said, { at: start, expiryS: 60 })
      const back = await keeper.open({ will })
      await keeper.sessions.leave(back, { at: start, expiryS: 60, willAt: later(1) })
      await keeper.sessions.open(newSession({ key: back, will }), later(2))
      await keeper.sessions.sentWills([back])
      const due = await keeper.sessions.dueWills(later(100), 1_000)
      expect(due.filter(({ key }) => key === said || key === back)).toEqual([])
      expect((await keeper.sessions.find(said))?.will).toBeUndefined()
      expect((await keeper.sessions.find(back))?.will).toEqual(will)
    })
  })
}

function subscriptionsSuite(keeper: Keeper): void {
  const of = () => keeper.sessions.subscriptions
  const plain = { noLocal: false, retainAsPublished: false, retainHandling: 0 }

  describe('subscriptions', () => {
    test('are kept as they are, the last for each topic', async () => {
      const [key, roomId] = [await keeper.open(), await keeper.newRoom()]
      const whole = {
        topic: '$share/g/acme/hall/#',
        qos: 2 as const,
        noLocal: true,
        retainAsPublished: true,
        retainHandling: 2 as const,
        identifier: 268_435_455,
        roomId,
        position: { epoch: 1_900_000_000_000, sequence: 2 ** 40 },
      }
      await of().add(key, [
        { topic: 'b', qos: 0 },
        { topic: 'b', qos: 1 },
        { topic: 'it\'s {a},\\ "b"', qos: 0 },
      ])
      await of().add(key, [whole])
      expect(await of().list(key)).toEqual([
        whole,
        { ...plain, topic: 'b', qos: 1 },
        { ...plain, topic: 'it\'s {a},\\ "b"', qos: 0 },
      ])
      await of().add(key, [])
      await of().remove(key, ['b', 'nobody', whole.topic])
      expect(await of().list(key)).toHaveLength(1)
    })

    test('of nobody are refused', async () => {
      const added = of().add(randomUUID(), [{ topic: 'a', qos: 1 }])
      await expect(added).rejects.toMatchObject({ failure: 'missing' })
    })

    test('know how far they have come', async () => {
      const [one, other] = [await keeper.open(), await keeper.open()]
      for (const key of [one, other]) await of().add(key, [{ topic: 'a', qos: 1 }])
      await of().move([
        { key: one, topic: 'a', epoch: 1, sequence: 4 },
        { key: other, topic: 'a', epoch: 1, sequence: 5 },
        { key: one, topic: 'a', epoch: 2, sequence: 6 },
        { key: one, topic: 'unknown', epoch: 1, sequence: 1 },
        { key: randomUUID(), topic: 'a', epoch: 1, sequence: 1 },
      ])
      expect((await of().list(one))[0]?.position).toEqual({ epoch: 2, sequence: 6 })
      expect((await of().list(other))[0]?.position).toEqual({ epoch: 1, sequence: 5 })
    })

    test('are found by their rooms, page by page, those who are away alone', async () => {
      const rooms = [await keeper.newRoom(), await keeper.newRoom(), await keeper.newRoom()]
      const keys = (await Promise.all([1, 2, 3].map(() => keeper.open()))).toSorted()
      for (const [i, key] of keys.entries()) {
        await of().add(key, [
          { topic: 'a/one', qos: 1, roomId: rooms[0]! },
          { topic: 'B/two', qos: 0, roomId: rooms[1]! },
          { topic: 'c/three', qos: 1, roomId: rooms[2]! },
          { topic: 'nowhere', qos: 1 },
        ])
        if (i > 0) await keeper.sessions.leave(key, { at: start, expiryS: i * 10 })
      }
      const both = rooms.slice(0, 2)
      const name = ({ key, topic }: MqttSubscriber) => `${keys.indexOf(key)} ${topic}`
      const all = await of().inRooms(both, { limit: 100 })
      const names = [0, 1, 2].flatMap((i) => [`${i} B/two`, `${i} a/one`])
      expect(all.map(name)).toEqual(names)
      expect((await of().inRooms(both, { awayAt: start, limit: 100 })).map(name)).toEqual(
        names.slice(2),
      )
      expect((await of().inRooms(both, { awayAt: later(10), limit: 100 })).map(name)).toEqual(
        names.slice(4),
      )
      const rest = await of().inRooms(both, { limit: 2, after: all[2]! })
      expect(rest.map(name)).toEqual(names.slice(3, 5))
      expect(await of().inRooms([], { limit: 2 })).toEqual([])
    })

    test('go with their room', async () => {
      const [key, roomId] = [await keeper.open(), await keeper.newRoom()]
      await of().add(key, [{ topic: 'a', qos: 1, roomId }])
      await keeper.deleteRoom(roomId)
      expect(await of().list(key)).toEqual([])
      const again = of().add(key, [{ topic: 'a', qos: 1, roomId }])
      await expect(again).rejects.toMatchObject({ failure: 'missing' })
    })
  })
}

function queueSuite(keeper: Keeper): void {
  const of = () => keeper.sessions.queue
  const heldBy = async (key: string) => (await keeper.sessions.find(key))?.queued

  describe('a queue', () => {
    test('keeps messages as they are, in the order in which they were added', async () => {
      const [key, roomId] = [await keeper.open(), await keeper.newRoom()]
      const whole: NewQueued = {
        key,
        topic: 'acme/hall/a b',
        qos: 2,
        retain: true,
        body: Buffer.from([0, 1, 255]),
        text: false,
        messageId: 65_535,
        released: false,
        expiresAt: later(10),
        roomId,
        origin: { broker: 'a "b", c', counter: 2 ** 40 },
      }
      await keeper.add([])
      await keeper.add([queued(key, 'one'), whole])
      await keeper.add([queued(key, '', { text: true })])
      const [one, two, three] = await keeper.page(key)
      expect(one).toMatchObject({ retain: false, text: false, released: false })
      expect(two).toEqual({ ...whole, number: expect.any(Number) })
      expect(three).toMatchObject({ body: Buffer.alloc(0), text: true })
      expect(await heldBy(key)).toEqual({ messages: 3, bytes: 9 + 3 + 13 + 3 + 9 })
    })

    test('of one that is gone takes nothing, and those of others do', async () => {
      const [key, room] = [await keeper.open(), await keeper.newRoom()]
      await keeper.deleteRoom(room)
      const gone = [queued(randomUUID(), 'x'), queued(key, 'y', { roomId: room })]
      expect(await keeper.add([...gone, queued(key, 'z')])).toEqual(new Map())
      expect(textsOf(await keeper.page(key))).toEqual(['z'])
      expect(await heldBy(key)).toEqual({ messages: 1, bytes: 10 })
    })

    test('beyond its bounds loses the oldest', async () => {
      const [full, other] = [await keeper.open(), await keeper.open()]
      const three = { messages: 3, bytes: 1_000 }
      expect(await keeper.add([queued(full, '1'), queued(full, '2')], three)).toEqual(new Map())
      const more = ['3', '4', '5'].map((text) => queued(full, text))
      expect(await keeper.add([...more, queued(other, 'o')], three)).toEqual(new Map([[full, 2]]))
      expect(textsOf(await keeper.page(full))).toEqual(['3', '4', '5'])
      expect(textsOf(await keeper.page(other))).toEqual(['o'])
      const few = { messages: 100, bytes: 25 }
      expect(await keeper.add([queued(full, 'six')], few)).toEqual(new Map([[full, 2]]))
      expect(textsOf(await keeper.page(full))).toEqual(['5', 'six'])
      expect(await heldBy(full)).toEqual({ messages: 2, bytes: 22 })
      expect(await keeper.add([queued(full, 'x'.repeat(100))], few)).toEqual(new Map([[full, 3]]))
      expect(await heldBy(full)).toEqual({ messages: 0, bytes: 0 })
    })

    test('is read in pages, however large its messages are', async () => {
      const key = await keeper.open()
      await keeper.add(['a', 'bb', 'c'.repeat(500), 'd'].map((text) => queued(key, text)))
      const first = await keeper.page(key, { limit: 2 })
      expect(textsOf(first)).toEqual(['a', 'bb'])
      const large = await keeper.page(key, { after: first[1]!.number, bytes: 10 })
      expect(textsOf(large)).toEqual(['c'.repeat(500)])
      const last = await keeper.page(key, { after: large[0]!.number, bytes: 10 })
      expect(textsOf(last)).toEqual(['d'])
      expect(await keeper.page(key, { after: last[0]!.number })).toEqual([])
    })

    test('gives up what has expired, unless it was sent', async () => {
      const key = await keeper.open()
      const soon = { expiresAt: later(1) }
      await keeper.add([
        queued(key, 'sent', { ...soon, messageId: 1 }),
        queued(key, 'soon', soon),
        queued(key, 'late', { expiresAt: later(2) }),
        queued(key, 'ever'),
      ])
      expect(textsOf(await keeper.page(key, { at: later(1) }))).toEqual(['sent', 'late', 'ever'])
      await keeper.sessions.expire(later(1), 1_000)
      expect(await heldBy(key)).toEqual({ messages: 3, bytes: 3 * 9 + 12 })
      expect(textsOf(await keeper.page(key))).toEqual(['sent', 'late', 'ever'])
    })

    test('follows a message from its identifier to its release', async () => {
      const key = await keeper.open()
      const origin = { broker: 'b', counter: 7 }
      await keeper.add([queued(key, 'one'), queued(key, 'two', { qos: 2, origin })])
      const [one] = await keeper.page(key)
      const { number } = one!
      const strange = { messageId: 30, origin: { broker: 'b', counter: 8 } }
      const given = [{ messageId: 10, number }, { messageId: 20, origin }, strange]
      expect(await of().assign(key, given)).toBe(2)
      expect(await of().assign(key, [])).toBe(0)
      expect(await of().assign(randomUUID(), given)).toBe(0)
      expect(await of().release(key, [30, 20, 20])).toEqual([20])
      expect(await of().release(key, [])).toEqual([])
      expect(await keeper.page(key)).toMatchObject([
        { messageId: 10, released: false },
        { messageId: 20, released: true, body: Buffer.alloc(0) },
      ])
      expect(await heldBy(key)).toEqual({ messages: 2, bytes: 9 + 3 + 9 })
      expect(await of().take(randomUUID(), [20])).toEqual([])
      expect(textsOf(await of().take(key, [10, 30, 10]))).toEqual(['one'])
      expect(await of().take(key, [10])).toEqual([])
      expect(await of().take(key, [20])).toMatchObject([{ released: true }])
      expect(await heldBy(key)).toEqual({ messages: 0, bytes: 0 })
    })

    test('gives back the oldest of those by one identifier', async () => {
      const key = await keeper.open()
      const same = { messageId: 7 }
      await keeper.add([queued(key, 'one', same), queued(key, 'two', same)])
      expect(await of().release(key, [7])).toEqual([7])
      expect(await keeper.page(key)).toMatchObject([{ released: true }, { released: false }])
      expect(textsOf(await of().take(key, [7]))).toEqual([''])
      expect(textsOf(await of().take(key, [7]))).toEqual(['two'])
    })

    test('gives back each message once, however many want it', async () => {
      const key = await keeper.open()
      await keeper.add([1, 2, 3].map((messageId) => queued(key, `${messageId}`, { messageId })))
      const taken = await Promise.all([1, 2, 3, 4].map(() => of().take(key, [3, 2, 1])))
      expect(textsOf(taken.flat()).toSorted()).toEqual(['1', '2', '3'])
      expect(await heldBy(key)).toEqual({ messages: 0, bytes: 0 })
    })

    test('keeps the order of many who add at once, to many', async () => {
      const keys = await Promise.all([1, 2, 3, 4].map(() => keeper.open()))
      const adds = Array.from({ length: 20 }, (_, i) => {
        const order = i % 2 ? keys : keys.toReversed()
        return keeper.add([0, 1, 2].flatMap((n) => order.map((key) => queued(key, `${i} ${n}`))))
      })
      await Promise.all(adds)
      for (const key of keys) {
        const texts = textsOf(await keeper.page(key))
        expect(texts).toHaveLength(60)
        for (let i = 0; i < 20; i++) {
          const own = texts.filter((text) => text.startsWith(`${i} `))
          expect(own).toEqual([`${i} 0`, `${i} 1`, `${i} 2`])
        }
        expect((await heldBy(key))?.messages).toBe(60)
      }
    })
  })
}

function incomingSuite(keeper: Keeper): void {
  const of = () => keeper.sessions.incoming

  test('what was received and not released is known, once each', async () => {
    const [key, other] = [await keeper.open(), await keeper.open()]
    const packet = Buffer.from('packet')
    await of().add([
      { key, messageId: 2 },
      { key, messageId: 1, packet },
      { key: other, messageId: 1 },
      { key, messageId: 2 },
      { key: randomUUID(), messageId: 3 },
    ])
    await of().add([{ key, messageId: 2 }])
    expect(await of().list(key)).toEqual([
      { key, messageId: 1, packet },
      { key, messageId: 2 },
    ])
    expect(await of().find(key, 2)).toEqual({ key, messageId: 2 })
    expect(await of().find(key, 3)).toBeUndefined()
    expect(await of().remove(key, [2, 3])).toBe(1)
    expect(await of().remove(key)).toBe(1)
    expect(await of().list(key)).toEqual([])
    expect(await of().list(other)).toHaveLength(1)
  })
}
