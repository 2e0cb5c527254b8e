/** QoS 1 and 2 to one client: in order, bounded, and to the end, whatever comes between. */
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { plainContent } from '../../../gateway/ingress/mqtt/delivery/content.ts'
import { type Parcel, parcelOf } from '../../../gateway/ingress/mqtt/delivery/parcel.ts'
import { Window, type WindowHost } from '../../../gateway/ingress/mqtt/delivery/window.ts'
import { CountBy } from '../../../gateway/observe/counts.ts'
import { plainPlace } from '../../support/plain-place.ts'
import { Switchboard } from '../../support/switchboard.ts'

const MOST = 4
const BYTES_MAX = 1_000

const board = new Switchboard()
const place = board.place('acme/boiler')
const lossy = board.place('acme/lossy')
lossy.config = { ...plainPlace, slowConsumers: Policy.DROP_OLDEST }

/** One that says its number. */
function parcel(number: number, qos: 1 | 2 = 1, rest: Partial<Parcel> = {}): Parcel {
  const id = { bytes: Buffer.alloc(16), at: 0 }
  const message = { id, from: Buffer.from('socket:a'), timeMs: 0, sequence: number }
  const source = { place, channel: '', message }
  const given = { qos, timeMs: 0, source, ...rest }
  const made = parcelOf(plainContent('t', Buffer.from(`${number}`)), given)
  numbered.set(made, number)
  return made
}

/** As Aedes has it, which keeps the content. */
const numbered = new WeakMap<Parcel, number>()

function numberOf(each: Parcel): number {
  return numbered.get(each) ?? 0
}

interface Sent {
  readonly id: number
  readonly number: number
  readonly qos: number
  readonly dup: boolean
}

/** A connection with a client behind it that acknowledges as it is told. */
class Link implements WindowHost {
  readonly most = MOST
  readonly bytesMax = BYTES_MAX
  readonly losses = new CountBy<Policy>()
  mayTake = true
  holdsLive = false
  keeps = true
  now = 0
  readonly window = new Window(this)
  /** All PUBLISHes, in order. */
  readonly sent: Sent[] = []
  /** PUBLISHes and PUBRELs that the client has not answered. */
  readonly open = new Map<number, 'publish' | 'pubrel'>()
  readonly settledAs: string[] = []
  lost = 0

  transmit(each: Parcel, id: number): void {
    if (this.open.has(id) || id < 1) throw new Error(`${id} is not free`)
    this.sent.push({ id, number: numberOf(each), qos: each.qos, dup: each.dup })
    this.open.set(id, 'publish')
    if (this.open.size > MOST) throw new Error(`${this.open.size} at once`)
  }

  noteLost(): void {}

  pubrel(id: number): void {
    this.open.set(id, 'pubrel')
  }

  tell(): void {
    this.lost++
  }

  settled(id: number, step: string): void {
    this.settledAs.push(`${step} ${id}`)
  }

  /** The client goes on with what it got n-th of what it has not answered. */
  answer(n: number): Sent | undefined {
    const id = [...this.open.keys()][n % this.open.size]
    if (id === undefined) return undefined
    const owed = this.open.get(id)
    const sent = this.sent.findLast((each) => each.id === id)
    this.open.delete(id)
    if (owed === 'pubrel') this.window.acknowledge('pubcomp', id, false)
    else this.window.acknowledge(sent!.qos === 1 ? 'puback' : 'pubrec', id, false)
    return sent
  }

  /** The session's next connection: what was not to the end is kept and given again. */
  next(firstId: number): Link {
    const link = new Link()
    let id = firstId
    for (const { parcel: each, messageId, released } of this.window.pending()) {
      if (released) {
        link.window.resumeReleased(messageId!)
        continue
      }
      const aedesId = messageId ?? id++
      const rest = { source: undefined, aedesId, dup: messageId !== undefined }
      link.window.resume(parcel(numberOf(each), each.qos as 1 | 2, rest))
    }
    return link
  }
}

type Step = 'one' | 'two' | 'answer' | 'block' | 'reconnect'

const steps = fc.array(
  fc.record({
    step: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom<Step>('one', 'two') },
      { weight: 6, arbitrary: fc.constant<Step>('answer') },
      { weight: 2, arbitrary: fc.constant<Step>('block') },
      { weight: 1, arbitrary: fc.constant<Step>('reconnect') },
    ),
    n: fc.nat(7),
  }),
  { maxLength: 80 },
)

test('all comes in order and to the end, and nothing twice while connected', () => {
  fc.assert(
    fc.property(steps, (played) => {
      let link = new Link()
      let count = 0
      const links = [link]
      for (const { step, n } of played) {
        if (step === 'one') expect(link.window.take(parcel(++count, 1))).toBe(true)
        else if (step === 'two') expect(link.window.take(parcel(++count, 2))).toBe(true)
        else if (step === 'answer') link.answer(n)
        else if (step === 'block') link.mayTake = !link.mayTake
        else {
          link = link.next(1 + n * 1_000)
          links.push(link)
        }
        if (link.mayTake) link.window.pump()
      }
      link.mayTake = true
      link.window.pump()
      while (link.open.size > 0) link.answer(0)
      expect([...link.window.pending()]).toEqual([])

      const had = new Set<number>()
      const idOf = new Map<number, number>()
      for (const { sent } of links) {
        const numbers = sent.map(({ number }) => number)
        expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
        for (const { number, id, dup } of sent) {
          expect(dup).toBe(had.has(number))
          if (dup) expect(id).toBe(idOf.get(number))
          had.add(number)
          idOf.set(number, id)
        }
      }
      expect(had.size).toBe(count)
    }),
    { numRuns: 300 },
  )
})

describe('a window', () => {
  let link: Link

  beforeEach(() => {
    link = new Link()
  })

  const numbers = () => link.sent.map(({ number }) => number)

  test('holds back what is over it until something is acknowledged', () => {
    for (let i = 1; i <= 6; i++) link.window.take(parcel(i))
    expect(numbers()).toEqual([1, 2, 3, 4])
    link.answer(2)
    expect(numbers()).toEqual([1, 2, 3, 4, 5])
  })

  test('counts a QoS 2 until its PUBCOMP', () => {
    for (let i = 1; i <= 5; i++) link.window.take(parcel(i, 2))
    link.answer(0)
    expect(numbers()).toHaveLength(4)
    link.answer(3)
    expect(numbers()).toHaveLength(5)
  })

  test('is done with a QoS 2 that the client refuses, and sends no PUBREL', () => {
    link.window.take(parcel(1, 2))
    link.window.acknowledge('pubrec', 1, true)
    expect(link.open.get(1)).toBe('publish')
    expect([...link.window.pending()]).toEqual([])
  })

  test('answers a PUBREC that comes again', () => {
    link.window.take(parcel(1, 2))
    link.answer(0)
    link.open.clear()
    expect(link.window.acknowledge('pubrec', 1, false)).toBe(true)
    expect(link.open.get(1)).toBe('pubrel')
  })

  test.each([
    ['puback', 2],
    ['pubcomp', 2],
    ['pubrec', 1],
    ['pubcomp', 1],
  ] as const)('is not moved by a %s for a QoS %i', (step, qos) => {
    link.window.take(parcel(1, qos))
    expect(link.window.acknowledge(step, 1, false)).toBe(false)
    expect([...link.window.pending()]).toHaveLength(1)
  })

  test('knows no other packet identifiers', () => {
    for (const id of [0, 2, 65_535]) {
      expect(link.window.acknowledge('puback', id, false)).toBe(false)
    }
  })

  test('takes identifiers that are free, around and around', () => {
    for (let i = 1; i <= 70_000; i++) {
      link.window.take(parcel(i))
      // The second is never acknowledged.
      const [id] = [...link.open.keys()].filter((each) => each !== 2)
      if (id !== undefined) link.window.acknowledge('puback', id, false)
      if (id !== undefined) link.open.delete(id)
    }
    expect(link.sent.filter(({ id }) => id === 2)).toHaveLength(1)
    expect(link.sent.some(({ id }) => id === 65_535)).toBe(true)
  })

  test('is bounded in bytes, and then the client has to go', () => {
    link.mayTake = false
    let bytes = 0
    for (let i = 1; ; i++) {
      const each = parcel(i)
      if (!link.window.take(each)) break
      bytes += each.length
    }
    expect(bytes).toBeLessThanOrEqual(BYTES_MAX)
    expect(bytes).toBeGreaterThan(BYTES_MAX - 10)
  })

  test('loses what its room says gives way, and tells so', () => {
    link.mayTake = false
    const message = { id: { bytes: Buffer.alloc(16), at: 0 }, from: Buffer.alloc(0), timeMs: 0 }
    for (let sequence = 1; sequence <= 1_000; sequence++) {
      const source = { place: lossy, channel: '', message: { ...message, sequence } }
      expect(link.window.take(parcel(sequence, 1, { source }))).toBe(true)
    }
    link.mayTake = true
    link.window.pump()
    expect(link.lost).toBe(1)
    while (link.open.size > 0) link.answer(0)
    expect(numbers().at(-1)).toBe(1_000)
    expect(link.sent.length).toBeLessThan(BYTES_MAX)
  })

  test('keeps no content of what it will not send again', () => {
    link.keeps = false
    link.window.take(parcel(1))
    const [left] = link.window.pending()
    expect(left!.parcel.content.bytes).toHaveLength(0)
  })

  test('acknowledges to Aedes what Aedes has kept', () => {
    link.window.resume(parcel(1, 1, { aedesId: 9 }))
    link.window.resume(parcel(2, 2, { aedesId: 10 }))
    link.answer(0)
    link.answer(0)
    link.window.resumeReleased(10)
    link.answer(0)
    expect(link.settledAs).toEqual(['puback 9', 'pubrec 10', 'pubcomp 10'])
  })

  test('sends what was kept before what comes, and what was sent before however old', () => {
    link.now = 10_000
    link.holdsLive = true
    link.window.take(parcel(3))
    const old = (number: number, rest: Partial<Parcel>) => {
      const made = parcel(number, 1, rest)
      made.content = { ...made.content, expiresAfter: 1 }
      return made
    }
    link.window.resume(old(1, { aedesId: 7, dup: true }))
    link.window.resume(old(2, { aedesId: 8 }))
    expect(link.settledAs).toEqual(['puback 8'])
    link.holdsLive = false
    link.window.pump()
    expect(numbers()).toEqual([1, 3])
  })
})
