/**
 * What is to be written to one socket: gathered during the turn, written once at its end. A socket
 * that does not keep up leaves the shared path for a bounded queue of its own until it has drained
 * (R46).
 */
import { Replay } from '@porthouse/proto/v1/envelope'
import type { Frame } from '@porthouse/proto/v1/frame'
import type { Counts, Tally } from '../../observe/counts.ts'
import type { EnvelopeBody, ReceiptFacts, Stamp } from '../../protocol/packet-writer.ts'
import { keepId } from '../../protocol/uuid7.ts'
import type { Page } from '../../rooms/history/page.ts'
import type { Batch } from '../../router/batch.ts'
import type { RoomMessage } from '../../router/intake.ts'
import type { FrameWriter, Lane } from '../../router/lane.ts'
import type { Structure } from '../../router/structure.ts'
import type { Turn } from '../../router/turn.ts'
import type { Earlier } from '../history/catch-up.ts'
import type { Wire } from '../wire.ts'
import type { Notice } from './notice.ts'
import { ASKED_BYTES, Probe } from './probe.ts'
import { type LossHost, type QueuedMessage, SlowQueue } from './slow-queue.ts'

/**
 * What may wait in the connection itself, in bytes, before the queue begins: little, for it lies in
 * memory that is shared with others and would be kept for this socket alone.
 */
const DIRECT_BYTES_MAX = 65_536

/** What waits for a socket that does not keep up. */
export interface Backlog {
  /** It does not read, or it does not acknowledge (MQTT). */
  readonly phase: 'transport' | 'unacknowledged'
  readonly frames: number
  readonly bytes: number
  /** When it took something last, or this began to wait; in milliseconds that only rise. */
  readonly since: number
}

export interface OutboxOptions {
  /** Most that may wait for the socket, in bytes. */
  readonly bytes: number
  /** Longest time that a socket may take nothing while something waits, in milliseconds. */
  readonly ageMs: number
  /** Longest time to read what was written, where that is much, before what comes waits. */
  readonly probeMs: number
}

/** Whose outbox it is: one object to know, since there is an outbox for every socket (G10). */
export interface OutboxHost extends LossHost {
  readonly wire: Wire
  readonly lane: Lane
  /** Of its medium. */
  readonly tally: Tally
  readonly core: {
    readonly turn: Turn
    readonly options: { readonly outbox: OutboxOptions }
    readonly uptime: () => number
    readonly counts: Counts
  }
  /** It is in one room alone. */
  readonly isInOne: boolean
  /** The socket has to go; called at most once a turn. */
  overflow(): void
  /** What is for the socket has to wait; called as often as that begins. */
  slowed(): void
}

export class Outbox {
  // What every delivery touches comes first, to lie together in memory: see docs/decisions/0007.
  #closed = false
  /** Frames for this socket alone, not yet sealed into a transport message. */
  #own: FrameWriter | undefined
  #slow: SlowQueue | undefined
  /** The peer has not shown in time that it reads: what comes for it waits. */
  #isLate = false
  readonly #wire: Wire
  #pending = 0
  /** All bytes that were ever written. */
  #written = 0
  #touched = false
  /** Ready for the wire, in order; most turns have one. */
  #first: Buffer | undefined
  #more: Buffer[] | undefined
  #holding = false
  #whenReady: (() => void)[] | undefined
  readonly #tally: Tally
  readonly #turn: Turn
  readonly #lane: Lane
  protected readonly host: OutboxHost
  #stalledSince = 0
  /** Undefined until there is something to ask for. */
  #probe: Probe | undefined

  constructor(host: OutboxHost) {
    this.host = host
    this.#wire = host.wire
    this.#lane = host.lane
    this.#turn = host.core.turn
    this.#tally = host.tally
  }

  frame(frame: Frame): void {
    this.#writer().frame(frame)
  }

  receipt(frameId: number, receipt: ReceiptFacts): void {
    this.#writer().receipt(frameId, receipt)
  }

  /** See FrameWriter. */
  envelope(body: EnvelopeBody, stamp: Stamp, frameId?: number, structure?: Structure): void {
    this.#writer().envelope(body, stamp, frameId, structure)
  }

  /** Takes a whole transport message that is shared with other sockets, and may not be lost. */
  shared(bytes: Buffer): void {
    if (this.#closed) return
    this.#seal()
    if (!this.#isSlow()) this.#push(bytes)
    else if (!this.#slow?.add(ownBytes(bytes))) this.host.overflow()
  }

  /**
   * Takes a room's message that is written for this socket alone: where it has to wait, the room's
   * policy says what gives way.
   */
  protected message(bytes: Buffer, message: QueuedMessage): void {
    if (this.#closed) return
    this.#seal()
    if (!this.#isSlow()) this.#push(bytes)
    else if (!this.#slow?.addMessage(ownBytes(bytes), message)) this.host.overflow()
  }

  /** Takes frames that go to many sockets, and may not be lost. */
  told(notice: Notice): void {
    this.shared(notice.encode(this.#lane))
  }

  /** Takes a page of a room's past. */
  page(page: Page): void {
    this.shared(page.encode(this.#lane, Replay.HISTORY))
  }

  /** Takes messages of a room's past, each with its Replay. */
  replay(messages: readonly Earlier[], structure: Structure | undefined): void {
    const writer = this.#lane.writer()
    for (const { kept, replay } of messages) {
      writer.envelope(kept.body, { ...kept.message, replay }, 0, structure)
    }
    this.shared(writer.whole())
  }

  /** Nothing waits that the connection would not take soon. */
  get ready(): boolean {
    const own = this.#own?.bytes ?? 0
    return (
      !this.#slow && !this.#isLate && this.#wire.buffered + this.#pending + own <= DIRECT_BYTES_MAX
    )
  }

  /** Undefined where nothing waits for the socket itself. */
  get backlog(): Backlog | undefined {
    if (!this.#slow) return undefined
    const { size: frames, bytes } = this.#slow
    const since = this.#stalledSince
    return { phase: 'transport', frames, bytes: bytes + this.#wire.buffered, since }
  }

  /** Calls back, once, when it is ready; several in their order, as long as it is. */
  whenReady(run: () => void): void {
    this.#whenReady ??= []
    this.#whenReady.push(run)
    this.#touch()
  }

  /** An empty packet, which answers an empty packet. */
  heartbeat(): void {
    this.#writer()
  }

  /** Takes frames `from` to `to` (exclusive) of a batch. */
  deliver(batch: Batch, from: number, to: number): void {
    if (this.#closed) return
    this.#seal()
    if (!this.#isSlow()) {
      const isWhole = to - from === batch.messages.length
      const isAll = isWhole && !this.#touched && this.#wire.isPlain && this.host.isInOne
      if (isAll && this.#turn.writes()) this.#send(batch.bytes(from, to))
      else this.#push(batch.bytes(from, to))
      return
    }
    for (let i = from; i < to; i++) {
      const { id, channel: name, sequence } = batch.messages[i] as RoomMessage
      const channel = Buffer.from(name).toString()
      const message = { id: keepId(id), place: batch.place, channel, sequence }
      if (!this.#slow?.addMessage(batch.bytes(i, i + 1), message)) return this.host.overflow()
    }
  }

  /**
   * Keeps the socket's own frames back while an effect is under way, so that what one packet asked
   * is answered by one packet (R13); messages of rooms go on, and take along what stands before
   * them.
   */
  hold(): void {
    this.#holding = true
  }

  /** Lets go what was kept back. */
  release(): void {
    this.#holding = false
    if (this.#own) this.#touch()
  }

  /** Once a turn, from the turn. */
  flush(): void {
    this.#touched = false
    if (!this.#holding) this.#seal()
    this.#write()
    // A connection tells that it has drained only where it had been full; this one may have taken
    // everything at once.
    if (this.#wire.buffered > DIRECT_BYTES_MAX) return
    if (this.#slow) this.drained()
    else this.tellReady()
  }

  /** The connection has taken all that was written. */
  drained(): void {
    if (this.#closed || this.#isLate) return
    this.#unqueue(DIRECT_BYTES_MAX)
    this.tellReady()
  }

  /** From the sweep of all sessions: asks a peer that was written much whether it reads. */
  probe(now: number): void {
    if (this.#written <= ASKED_BYTES) return
    this.#probe ??= new Probe(this.#wire, this.host.core.options.outbox)
    this.#isLate = this.#probe.look(now, this.#written)
  }

  /** Asks the peer for a sign of life. */
  ping(): void {
    this.#wire.ping(this.#written)
  }

  /** The peer has read all that was written up to there. */
  answered(position: number): void {
    if (!this.#probe?.answered(position, this.#written) || !this.#isLate) return
    this.#isLate = false
    // Else it tells when it has drained.
    if (this.#wire.buffered <= DIRECT_BYTES_MAX) this.drained()
  }

  /** To be called by whoever has other things than the connection to wait for. */
  protected tellReady(): void {
    while (this.#whenReady && this.ready) {
      const run = this.#whenReady.shift()
      if (this.#whenReady.length === 0) this.#whenReady = undefined
      run?.()
    }
  }

  /**
   * Moves what waits from the queue to the connection: just more than `bytes`, so that it says
   * again when it has taken them. The rest stays where the room's policy can act on it.
   */
  #unqueue(bytes: number): void {
    const slow = this.#slow
    if (!slow) return
    // Its own frames of this turn keep their place behind what waits.
    this.#seal()
    const { notices, waiting } = slow.take(bytes)
    if (slow.empty) this.#slow = undefined
    for (const notice of notices) this.frame(notice)
    this.#sealOwn()
    for (const each of waiting) this.#push(each)
    this.#stalledSince = this.host.core.uptime()
  }

  /** True where the socket has taken nothing for too long. */
  stalled(now: number): boolean {
    return (
      this.#slow !== undefined && now - this.#stalledSince > this.host.core.options.outbox.ageMs
    )
  }

  /**
   * Writes the last frame after all that waits, and takes nothing more; `discard`: without what
   * waits, for a socket that would not take it.
   */
  close(last: Frame | undefined, discard: boolean): void {
    if (this.#closed) return
    if (discard)
      this.#slow?.discard(
        this.stalled(this.host.core.uptime()) ? 'setting outbox.ageMs' : undefined,
      )
    this.#unqueue(Number.POSITIVE_INFINITY)
    if (last) this.frame(last)
    this.#sealOwn()
    this.#write()
    this.#closed = true
  }

  #writer(): FrameWriter {
    this.#own ??= this.#lane.writer()
    this.#touch()
    return this.#own
  }

  #touch(): void {
    if (this.#touched) return
    this.#touched = true
    this.#turn.touch(this)
  }

  /** What is for it now has to wait. */
  protected get slow(): boolean {
    return this.#isSlow()
  }

  #isSlow(): boolean {
    if (this.#slow) return true
    const waiting = this.#wire.buffered + this.#pending
    if (waiting <= DIRECT_BYTES_MAX && !this.#isLate) return false
    const { core } = this.host
    this.#slow = new SlowQueue(core.options.outbox.bytes, core.counts.lost, this.host)
    this.#stalledSince = core.uptime()
    core.counts.slowed++
    this.host.slowed()
    return true
  }

  /**
   * Closes the socket's own frames into one transport message, to keep their place in the order.
   */
  #seal(): void {
    if (!this.#own) return
    if (!this.#isSlow()) return this.#sealOwn()
    const bytes = this.#own.whole()
    this.#own = undefined
    if (!this.#slow?.add(ownBytes(bytes))) this.host.overflow()
  }

  #sealOwn(): void {
    const own = this.#own
    this.#own = undefined
    if (own) this.#push(own.whole())
  }

  #push(bytes: Buffer): void {
    this.#touch()
    this.#pending += bytes.length
    if (this.#first === undefined) this.#first = bytes
    else if (this.#more) this.#more.push(bytes)
    else this.#more = [bytes]
  }

  #write(): void {
    const first = this.#first
    if (first === undefined) return
    const more = this.#more
    this.#first = undefined
    this.#more = undefined
    this.#pending = 0
    this.#send(more ? Buffer.concat([first, ...more]) : first)
  }

  #send(bytes: Buffer): void {
    this.#tally.bytesOut += bytes.length
    this.#written += bytes.length
    this.#wire.write(bytes)
  }
}

/** A copy to wait: what comes to an outbox lies in memory that is shared with others. */
function ownBytes(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(own)
  return own
}
