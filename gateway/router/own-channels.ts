/**
 * A client's own channel (R43): what is sent to a client has an order of its own, and its last
 * messages stay for a while, so that a connection that was cut finds what it missed. In memory,
 * bounded in time, for each client and in all; a channel that begins anew has another epoch.
 */
import type { EnvelopeBody, Stamp } from '../protocol/packet-writer.ts'
import type { Graph } from './graph.ts'
import { type Kept, Window, type WindowBounds } from './window.ts'

export interface OwnChannelsOptions extends WindowBounds {
  /** Of all channels, in bytes. */
  readonly allBytes: number
}

/** How often channels of clients that are gone are looked for, as a part of `ageMs`. */
const SWEEPS = 4

export class OwnChannel {
  readonly epoch: number
  /** Given last. */
  sequence = 0
  readonly window: Window<Kept>
  /** When the client was last seen here, in milliseconds that only rise. */
  seenAt: number

  constructor(epoch: number, bounds: WindowBounds, now: number) {
    this.epoch = epoch
    this.window = new Window<Kept>(bounds, 0)
    this.seenAt = now
  }
}

export class OwnChannels {
  readonly #graph: Graph
  readonly #options: OwnChannelsOptions
  readonly #clock: () => number
  readonly #uptime: () => number
  /** By the client's address in slugs; the one that was sent to last comes last. */
  readonly #channels = new Map<string, OwnChannel>()
  #sweeper: NodeJS.Timeout | undefined
  #bytes = 0
  /** Given last. */
  #epoch = 0

  constructor(parts: {
    graph: Graph
    options: OwnChannelsOptions
    /** Milliseconds since 1970-01-01 UTC. */
    clock: () => number
    uptime: () => number
  }) {
    this.#graph = parts.graph
    this.#options = parts.options
    this.#clock = parts.clock
    this.#uptime = parts.uptime
  }

  get size(): number {
    return this.#channels.size
  }

  /** What all of them take. */
  get bytes(): number {
    return this.#bytes
  }

  /** Of a client that was sent something lately, or has asked for its channel. */
  find(address: string): OwnChannel | undefined {
    return this.#channels.get(address)
  }

  /** The same, begun where there is none. */
  open(address: string): OwnChannel {
    const found = this.#channels.get(address)
    if (found) return found
    this.#epoch = Math.max(this.#clock(), this.#epoch + 1)
    const channel = new OwnChannel(this.#epoch, this.#options, this.#uptime())
    this.#channels.set(address, channel)
    const sweepMs = Math.max(1, this.#options.ageMs / SWEEPS)
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref()
    return channel
  }

  /** Gives a message to a client its position, and keeps it. `stamp`, `body`: of its own memory. */
  post(address: string, stamp: Stamp, body: EnvelopeBody): Stamp {
    const channel = this.open(address)
    this.#channels.delete(address)
    this.#channels.set(address, channel)
    const message = { ...stamp, sequence: ++channel.sequence, epoch: channel.epoch }
    this.#bytes -= channel.window.bytes
    channel.window.push({ message, body }, this.#uptime())
    this.#bytes += channel.window.bytes
    for (const [oldest] of this.#channels) {
      if (this.#bytes <= this.#options.allBytes) break
      this.#forget(oldest)
    }
    return message
  }

  #forget(address: string): void {
    this.#bytes -= this.#channels.get(address)?.window.bytes ?? 0
    this.#channels.delete(address)
  }

  /** Who has been gone for longer than his messages stay begins anew. */
  #sweep(): void {
    const now = this.#uptime()
    const { ageMs } = this.#options
    // He may have gone just before the sweep after the one that saw him last.
    const goneMs = ageMs + ageMs / SWEEPS
    for (const [address, channel] of this.#channels) {
      if (this.#graph.socketsOf(address).size > 0) channel.seenAt = now
      this.#bytes -= channel.window.bytes
      channel.window.forget(now)
      this.#bytes += channel.window.bytes
      if (now - channel.seenAt > goneMs) this.#forget(address)
    }
    if (this.#channels.size > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }
}
