/**
 * A room's program whose process answers, fails, is lost and comes back in any order: every message
 * ends once, in its turn, as the program or the config says (R25).
 */
import { create, toBinary } from '@bufbuild/protobuf'
import type { Code } from '@porthouse/proto/v1/code'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AccountPrograms, ProgramOptions } from '../../gateway/programs/account-programs.ts'
import type { Deeds } from '../../gateway/programs/deeds.ts'
import { Allowance } from '../../gateway/programs/queue.ts'
import { RoomProgramQueue } from '../../gateway/programs/room-program.ts'
import type { Call, SentSocket } from '../../gateway/programs/wire.ts'
import { codeInfo } from '../../gateway/protocol/codes.ts'
import type { ProgramActions } from '../../gateway/rooms/program.ts'
import type { WaitingMessage } from '../../gateway/router/intake.ts'
import type { Membership } from '../../gateway/router/membership.ts'
import type { Place } from '../../gateway/router/place.ts'

const QUEUE = 4
const WAIT_MS = 100
const BYTES = 10_000

type Action =
  | { does: 'send' | 'join' | 'leave'; who: number }
  | { does: 'answer'; refused: string | undefined }
  | { does: 'fail' | 'begin' | 'load' | 'load in vain' | 'lose' | 'lose for a while' }
  | { does: 'return' | 'renew' | 'wait' | 'ask when idle' | 'turn' }

const who = fc.nat(2)
const refused = fc.constantFrom(undefined, undefined, '', 'because')
const actions = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ does: fc.constantFrom('send', 'join', 'leave'), who }) },
    { weight: 6, arbitrary: fc.record({ does: fc.constant('answer'), refused }) },
    { weight: 10, arbitrary: fc.record({ does: fc.constantFrom('begin', 'load', 'turn') }) },
    {
      weight: 8,
      arbitrary: fc.record({
        does: fc.constantFrom(
          ...(['load in vain', 'lose', 'lose for a while', 'fail'] as const),
          ...(['return', 'renew', 'wait', 'ask when idle'] as const),
        ),
      }),
    },
  ) as fc.Arbitrary<Action>,
  { maxLength: 80, size: 'max' },
)

/** The process and the room around one program, which note what they are told. */
class World {
  readonly allowance = new Allowance(BYTES)
  readonly members = new Set<Membership>()
  readonly ends: string[] = []
  readonly sent: { readonly sender: Membership; readonly at: number }[] = []
  readonly room: RoomProgramQueue
  /** What each message was answered, by its id. */
  readonly answers = new Map<string, string>()
  readonly otherwise: 'pass' | 'reject'
  #phase: 'loading' | 'works' | 'broken' | 'away' = 'loading'
  #isStale = false
  #call: Call | undefined
  #hasBegun = false
  readonly #people: (Membership | undefined)[] = []
  /** All that ever were, by what the program is told of them. */
  readonly #stays = new Map<string, Membership>()
  /** Whom this process knows. */
  #met = new Set<string>()
  readonly #begun = new Set<string>()
  #now = 0
  #asked = 0
  #told = 0

  constructor(otherwise: 'pass' | 'reject') {
    this.otherwise = otherwise
    const line = () => 'config room:acme/hall blocks[0].program'
    const place = { address: 'room:acme/hall', members: this.members, line } as unknown as Place
    const options = { queue: QUEUE, waitMs: WAIT_MS } as ProgramOptions
    this.room = new RoomProgramQueue({
      number: 1,
      account: { id: 'a', slug: 'acme' } as never,
      place,
      program: { module: 'any', options: {}, budgetMs: 1, otherwise },
      next: { take: (waiting) => this.#end(waiting, 'passed') },
      programs: this.#programs(),
      actions: { expel: (member) => this.#leave(member), left: () => {} } as ProgramActions &
        object,
      options,
      uptime: () => this.#now,
      deedsOf: () => ({}) as Deeds,
    } as ConstructorParameters<typeof RoomProgramQueue>[0])
  }

  #programs(): AccountPrograms {
    const call = (_: unknown, asked: Call) => {
      if (this.#isStale) return false
      expect(this.#phase).toBe('works')
      // One after another, and of each only what this process can know.
      expect(this.#call).toBeUndefined()
      this.#call = asked
      this.#hasBegun = false
      if (asked.hook === 'initial') this.#meets(asked.socket.address)
      if (asked.hook === 'left') expect(this.#met.delete(asked.socket)).toBe(true)
      if (asked.hook === 'message') this.#isTimely(asked)
      return true
    }
    const { allowance } = this
    const hold = () => {}
    return { allowance, hold, attach: hold, detach: hold, release: hold, call } as never
  }

  #of({ identities }: SentSocket): Membership {
    return this.#stays.get(identities[0]!)!
  }

  #meets(address: string): void {
    expect(this.#met.has(address)).toBe(false)
    this.#met.add(address)
  }

  #end(waiting: WaitingMessage, how: string): void {
    const id = idOf(waiting)
    expect(this.ends.filter((end) => end.startsWith(`${id} `))).toEqual([])
    this.ends.push(`${id} ${how}`)
  }

  /** The process knows its sender, unless he has gone, and it has not waited too long. */
  #isTimely({ socket, message }: Extract<Call, { hook: 'message' }>): void {
    const { sender, at } = this.sent[Number(shortOf(message.id))]!
    if (this.members.has(sender)) expect(this.#met.has(socket)).toBe(true)
    expect(this.#now - at).toBeLessThanOrEqual(WAIT_MS)
  }

  #send(sender: Membership | undefined): void {
    if (!sender) return
    const id = `${this.sent.length}`
    const waiting = newMessage(id, sender, (code, detail) => {
      if (detail === 'too much waits for the program') this.answers.set(id, 'too many')
      this.#end(waiting, codeInfo(code).name)
    })
    this.sent.push({ sender, at: this.#now })
    this.room.take(waiting)
  }

  #join(number: number): void {
    if (this.#people[number]) return
    // The same socket may come again, for another stay.
    const address = `token:acme/${this.#stays.size}`
    const senders = [{ actor: { address } }]
    const member = { socket: { id: `s${number}` }, senders } as unknown as Membership
    this.#stays.set(address, member)
    this.#people[number] = member
    this.members.add(member)
    this.room.joined(member)
  }

  #leave(member: Membership | undefined): void {
    if (!member || !this.members.delete(member)) return
    this.#people[this.#people.indexOf(member)] = undefined
    this.room.left(member)
  }

  /** Ends the call that is under way, if there is one. */
  #settle(): Call | undefined {
    const call = this.#call
    this.#call = undefined
    return call
  }

  #answer(refused: string | undefined): void {
    const call = this.#settle()
    if (!call) return
    if (call.hook === 'message') {
      const said = refused === undefined ? 'passed' : 'PROGRAM_REFUSED'
      this.answers.set(shortOf(call.message.id), said)
    }
    const isIn = () => call.hook === 'initial' && this.members.has(this.#of(call.socket))
    const wasIn = isIn()
    this.room.ended({ refused })
    expect(isIn()).toBe(wasIn && refused === undefined)
    this.#renewIfIdle()
  }

  #begin(): void {
    if (!this.#call || this.#hasBegun) return
    this.#hasBegun = true
    // What a process has begun with is not asked again.
    if (this.#call.hook === 'message') {
      expect(this.#begun.has(this.#call.message.id)).toBe(false)
      this.#begun.add(this.#call.message.id)
    }
    this.room.began()
  }

  #lose(soon: boolean): void {
    if (this.#phase === 'away') return
    this.#settle()
    this.#met.clear()
    this.#isStale = false
    this.#phase = soon ? 'loading' : 'away'
    this.room.lost(soon)
  }

  #renewIfIdle(): void {
    if (this.#isStale && !this.#call) this.#lose(true)
  }

  #load(works: boolean): void {
    if (this.#phase !== 'loading') return
    this.#phase = works ? 'works' : 'broken'
    this.room.loaded(works)
  }

  do(action: Action): void {
    switch (action.does) {
      case 'send':
        return this.#send(this.#people[action.who])
      case 'join':
        return this.#join(action.who)
      case 'leave':
        return this.#leave(this.#people[action.who])
      case 'turn':
        return
      case 'answer':
        return this.#answer(action.refused)
      case 'fail':
        if (this.#settle()) this.room.ended('failed')
        return this.#renewIfIdle()
      case 'begin':
        return this.#begin()
      case 'load':
        return this.#load(true)
      case 'load in vain':
        return this.#load(false)
      case 'lose':
        return this.#lose(true)
      case 'lose for a while':
        return this.#lose(false)
      case 'return':
        if (this.#phase !== 'away') return
        this.#phase = 'loading'
        return this.room.begins()
      case 'renew':
        this.#isStale = this.#phase !== 'away'
        return this.#renewIfIdle()
      case 'wait':
        this.#now += WAIT_MS / 2 + 1
        return
      case 'ask when idle':
        this.#asked++
        this.room.whenIdle(() => {
          this.#told++
          expect(this.room.isBusy).toBe(false)
        })
    }
  }

  /** Lets all come to its end. */
  async finish(): Promise<void> {
    do {
      await turn()
      this.do({ does: 'return' })
      this.do({ does: 'load' })
      if (this.#phase === 'broken') this.#lose(true)
      this.do({ does: 'answer', refused: undefined })
    } while (this.room.isBusy)
    expect(this.#told).toBe(this.#asked)
  }

  /** As the program said, or as the config says where it could not. */
  expected(id: string): string {
    const said = this.answers.get(id)
    if (said === 'too many') return `${id} PROGRAM_FAILED`
    return `${id} ${said ?? (this.otherwise === 'pass' ? 'passed' : 'PROGRAM_FAILED')}`
  }
}

type Refused = (code: Code, detail: string) => void

/** Its id is its number, in the last digits of a UUID. */
function newMessage(id: string, sender: Membership, refused: Refused): WaitingMessage {
  const bytes = Buffer.from(toBinary(EnvelopeSchema, create(EnvelopeSchema)))
  const end = bytes.length
  const body = { bytes, start: 0, cutStart: end, cutEnd: end, end }
  const number = Buffer.from(id.padStart(32, '0'), 'hex')
  const message = { id: { bytes: number, at: 0 }, from: Buffer.from('socket:s') }
  const settle = ({ code, detail }: { code: Code; detail: string }) => refused(code, detail)
  const accept = () => {}
  const waiter = { accept, settle }
  return { message, channel: '', body, sender, waiter } as unknown as WaitingMessage
}

const idOf = ({ message }: WaitingMessage) => shortOf(message.id.bytes.toString('hex'))

/** A UUID without what fills it up. */
const shortOf = (id: string) => id.replaceAll('-', '').replace(/^0+(?=.)/, '')

const turn = () => new Promise((resolve) => setImmediate(resolve))

test.each(['pass', 'reject'] as const)('any course of events, otherwise: %s', async (otherwise) => {
  await fc.assert(
    fc.asyncProperty(actions, async (course) => {
      const world = new World(otherwise)
      for (const action of course) {
        world.do(action)
        if (action.does === 'turn') await turn()
      }
      await world.finish()
      const all = world.sent.map((_, id) => world.expected(`${id}`))
      expect(world.ends.toSorted()).toEqual(all.toSorted())
      // In their turn, except for those that found no place.
      const ids = world.ends.map((end) => end.split(' ')[0]!)
      const order = ids.filter((id) => world.answers.get(id) !== 'too many').map(Number)
      expect(order).toEqual(order.toSorted((a, b) => a - b))
      expect([world.allowance.take(BYTES + 1), world.allowance.take(BYTES)]).toEqual([false, true])
    }),
    { numRuns: 1_000 },
  )
})
