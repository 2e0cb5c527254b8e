/**
 * What connections have sent here since they came, for whoever comes later (R24). It is their
 * owner's, and goes with him: at once where he leaves, after a grace where he was cut off and may
 * resume. In memory, bounded for each connection by the config and for the room as a whole.
 */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import type { Keeper, OwnMessage } from '../router/intake.ts'
import type { Membership } from '../router/membership.ts'
import { sizeOf } from '../router/window.ts'
import type { SessionHistoryConfig } from './config.ts'

/** By what a connection that was cut off is known again, and how long it is waited for. */
export interface Grace {
  /** Any of them. */
  readonly keys: readonly string[]
  readonly ms: number
}

/** Of one connection. */
interface Part {
  readonly messages: OwnMessage[]
  bytes: number
}

/** Of one that was cut off. */
interface Held {
  readonly part: Part
  readonly grace: Grace
  readonly timer: NodeJS.Timeout
}

export class SessionHistory implements Keeper {
  #config: SessionHistoryConfig
  readonly #bytesMax: number
  readonly #parts = new Map<Membership, Part>()
  /** Of those who were cut off. */
  readonly #held = new Map<string, Held>()
  /** All of them, in the order of positions, each with its part. */
  readonly #all = new Map<OwnMessage, Part>()
  #bytes = 0
  /** Nobody is waited for any more. */
  #whenFree: (() => void) | undefined

  get bytes(): number {
    return this.#bytes
  }

  /** `bytesMax`: of the whole room. */
  constructor(config: SessionHistoryConfig, bytesMax: number) {
    this.#config = config
    this.#bytesMax = bytesMax
  }

  /** Takes changed bounds over. */
  configure(config: SessionHistoryConfig): void {
    this.#config = config
    for (const part of new Set(this.#all.values())) this.#bound(part)
  }

  /** Somebody who was cut off is waited for. */
  get isHeld(): boolean {
    return this.#held.size > 0
  }

  /** Calls back, once, when nobody is waited for any more. */
  whenFree(run: () => void): void {
    this.#whenFree = run
  }

  /** What he sends from now on is kept, where it is kept of those who ask for it. */
  own(member: Membership): void {
    if (!this.#parts.has(member)) this.#parts.set(member, { messages: [], bytes: 0 })
  }

  /** He is the one who was cut off: what he had sent is his again. */
  adopt(member: Membership, key: string): void {
    const held = this.#held.get(key)
    if (!held) return
    this.#parts.set(member, held.part)
    this.#release(held)
  }

  /** He is gone, and what he has sent with him, unless he may come back. */
  left(member: Membership, grace: Grace | undefined): void {
    const part = this.#parts.get(member)
    if (!part) return
    this.#parts.delete(member)
    if (!grace || part.messages.length === 0) return this.#wipe(part)
    const end = () => {
      this.#wipe(part)
      this.#release(held)
    }
    const held = { part, grace, timer: setTimeout(end, grace.ms).unref() }
    for (const key of grace.keys) this.#held.set(key, held)
  }

  refuses(sender: Membership, _channel: string, envelope: ScannedEnvelope): Refusal | undefined {
    const { overflow, messages, bytes } = this.#config
    const part = overflow === 'reject' ? this.#partOf(sender) : undefined
    if (!part) return undefined
    const size = sizeOf({ body: envelope })
    if (part.messages.length < messages && part.bytes + size <= bytes) return undefined
    const detail = "the connection's history in this room is full"
    return new Refusal(Code.QUEUE_FULL, detail, sender.place.line('sessionHistory'))
  }

  keep(message: OwnMessage, sender: Membership): boolean {
    const part = this.#partOf(sender)
    if (!part) return false
    this.#parts.set(sender, part)
    part.messages.push(message)
    part.bytes += sizeOf(message)
    this.#all.set(message, part)
    this.#bytes += sizeOf(message)
    this.#bound(part)
    for (const [, oldest] of this.#all) {
      if (this.#bytes <= this.#bytesMax) break
      this.#drop(oldest)
    }
    return this.#all.has(message)
  }

  /** Of all but him, in the order of positions. */
  of(others: Membership): OwnMessage[] {
    const own = this.#parts.get(others)
    return [...this.#all].flatMap(([message, part]) => (part === own ? [] : [message]))
  }

  /** It is kept still. */
  has(message: OwnMessage): boolean {
    return this.#all.has(message)
  }

  /** The room's positions begin anew: those of what is kept say nothing any more. */
  renumbered(): void {
    for (const { message } of this.#all.keys()) message.sequence = 0
  }

  /** Nothing is kept any more. */
  end(): void {
    for (const { timer } of this.#held.values()) clearTimeout(timer)
    this.#held.clear()
    this.#parts.clear()
    this.#all.clear()
    this.#freed()
  }

  /** One that has left meanwhile keeps nothing. */
  #partOf(sender: Membership): Part | undefined {
    const part = this.#parts.get(sender)
    if (part || this.#config.owners === 'asked') return part
    return sender.place.members.has(sender) ? { messages: [], bytes: 0 } : undefined
  }

  /** What a room that rejects has accepted stays: it may have been on its way when it was full. */
  #bound(part: Part): void {
    const { messages, bytes, overflow } = this.#config
    if (overflow === 'reject') return
    while (part.messages.length > messages || part.bytes > bytes) this.#drop(part)
  }

  /** Its oldest. */
  #drop(part: Part): void {
    const oldest = part.messages.shift()
    if (!oldest) return
    part.bytes -= sizeOf(oldest)
    this.#forget(oldest)
  }

  #wipe(part: Part): void {
    for (const message of part.messages) this.#forget(message)
  }

  #forget(message: OwnMessage): void {
    this.#all.delete(message)
    this.#bytes -= sizeOf(message)
  }

  #release({ timer, grace }: Held): void {
    clearTimeout(timer)
    for (const key of grace.keys) this.#held.delete(key)
    this.#freed()
  }

  #freed(): void {
    if (this.isHeld) return
    const run = this.#whenFree
    this.#whenFree = undefined
    run?.()
  }
}
