/** What programs ask for, done in their room's name, and within the room (R25). */
import { Code } from '@porthouse/proto/v1/code'
import { checkChannel } from '../protocol/channel.ts'
import { codeInfo, Refusal } from '../protocol/codes.ts'
import type { Limits } from '../protocol/limits.ts'
import { parseName } from '../protocol/name.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import { keepId, type Uuid7Source } from '../protocol/uuid7.ts'
import type { ProgramActions } from '../rooms/program.ts'
import type { RefusedDestination } from '../router/destination.ts'
import type { Remembered } from '../router/idempotency.ts'
import { type Intake, ownText, type RoomMessage } from '../router/intake.ts'
import type { Membership } from '../router/membership.ts'
import type { Place } from '../router/place.ts'
import { channelRefuses } from '../router/policy.ts'
import { UNMARKED } from '../router/socket.ts'
import { envelopeOf } from './content.ts'
import { cut } from './cut.ts'
import { programMember } from './program-member.ts'
import type { Answer, Command, Sending } from './wire.ts'

export interface DeedParts {
  readonly place: Place
  /** Who is in it, by address. */
  readonly members: ReadonlyMap<string, Membership>
  /** Where what it sends to the room goes on. */
  readonly next: () => Intake
  readonly actions: ProgramActions
  readonly ids: Uuid7Source
  readonly limits: Limits
}

/** Locks, moves and messages to be stored that one room's program may wait for. */
const LASTING_MAX = 1_024

/** Of why somebody was put out. */
const REASON_BYTES_MAX = 200

const NO_BYTES = new Uint8Array()

type Told = (answer: Answer) => void

export class Deeds {
  readonly #parts: DeedParts
  /** As whom it sends. */
  readonly #member: Membership
  #lasting = 0

  constructor(parts: DeedParts) {
    this.#parts = parts
    this.#member = programMember(parts.place)
  }

  /** Answers once; of what lasts, first that it does. */
  run(command: number, what: Command, told: Told): void {
    try {
      const done = this.#do(what)
      if (!done) return told({ command })
      told({ command, later: true })
      this.#lasting++
      done
        .then(
          () => told({ command }),
          (error) => told({ command, error: errorOf(error) }),
        )
        .finally(() => {
          this.#lasting--
        })
    } catch (error) {
      told({ command, error: errorOf(error) })
    }
  }

  #do(what: Command): Promise<void> | undefined {
    const { actions } = this.#parts
    switch (what.name) {
      case 'send':
        if (what.socket === undefined) return this.#sendToRoom(what)
        return this.#sendTo(this.#at(what.socket), what)
      case 'subscribe':
        actions.subscribe(this.#at(what.socket), what.filter)
        return undefined
      case 'unsubscribe':
        actions.unsubscribe(this.#at(what.socket), what.filter)
        return undefined
      case 'drop':
        actions.expel(
          this.#at(what.socket),
          Code.PROGRAM_REFUSED,
          cut(what.reason, REASON_BYTES_MAX),
        )
        return undefined
      case 'move':
        this.#mayLast()
        return actions.move(this.#at(what.socket), parseName(what.to, 'room'))
      case 'lock': {
        this.#mayLast()
        const { acceptor, options, deadlineMs } = what
        const lock = { acceptor, options, ...(deadlineMs !== undefined && { deadlineMs }) }
        return actions.lock(this.#at(what.socket), lock)
      }
    }
  }

  #mayLast(): void {
    if (this.#lasting < LASTING_MAX) return
    throw new Refusal(Code.QUEUE_FULL, `over ${LASTING_MAX} locks and moves at once`)
  }

  #at(address: string): Membership {
    const member = this.#parts.members.get(address)
    if (member && this.#parts.place.members.has(member)) return member
    throw new Refusal(Code.TARGET_UNKNOWN, 'no such socket in the room')
  }

  #sendToRoom(sending: Sending): Promise<void> | undefined {
    const { place, next } = this.#parts
    const { channel, retain } = sending
    checkSendable(place, channel)
    const body = this.#envelope(sending)
    const refusal = place.keeper?.refuses(this.#member, channel, body)
    if (refusal) throw refusal
    const message = this.#message(channel, '', retain)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let end: Remembered | RefusedDestination | undefined
    const settle = (given: Remembered | RefusedDestination) => {
      end = given
      if (isRefused(given)) reject(new Refusal(given.code, given.detail))
      else resolve()
    }
    const sender = this.#member
    const waiter = { accept: () => {}, settle, doubt: () => {} }
    const waiting = { place, message, channel, body, sender, key: undefined, leg: undefined }
    next().take({ ...waiting, waiter })
    // What is done already is not waited for.
    return end && !isRefused(end) ? undefined : promise
  }

  #sendTo({ socket, audience }: Membership, sending: Sending): undefined {
    const { place } = this.#parts
    // What was said to the room before comes before.
    audience?.flush()
    const message = this.#message('', `socket:${socket.id}`, false)
    socket.direct(this.#envelope(sending), { ...message, route: 0 }, place.config.structure)
  }

  #envelope(sending: Sending): ScannedEnvelope {
    const { place, limits } = this.#parts
    const { structure, limits: own } = place.config
    const payloadBytes = Math.min(own.payloadBytes ?? limits.payloadBytes, limits.payloadBytes)
    const envelope = envelopeOf(sending, { ...limits, payloadBytes })
    return structure ? structure.admit(envelope) : envelope
  }

  #message(channel: string, target: string, retain: boolean): RoomMessage {
    const { ids, place } = this.#parts
    return {
      id: keepId(ids.next()),
      origin: UNMARKED,
      retain,
      from: ownText(place.address),
      route: place.route,
      channel: channel === '' ? NO_BYTES : ownText(channel),
      target: target === '' ? NO_BYTES : ownText(target),
      sequence: 0,
      timeMs: ids.ms,
      epoch: 0,
      replay: 0,
    }
  }
}

/** Throws Refusal where the room has no such channel. */
function checkSendable(place: Place, channel: string): void {
  if (channel !== '') checkChannel(channel)
  const refusal = channelRefuses(place, channel)
  if (refusal) throw refusal
}

function isRefused(end: Remembered | RefusedDestination): end is RefusedDestination {
  return 'kind' in end
}

function errorOf(error: unknown): { readonly code: string; readonly detail: string } {
  const refusal =
    error instanceof Refusal ? error : new Refusal(Code.INTERNAL, 'it could not be done')
  return { code: codeInfo(refusal.code).name, detail: refusal.detail }
}
