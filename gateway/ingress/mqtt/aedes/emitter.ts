/**
 * Aedes' emitter over the router graph: who listens is a member of the topic's room, and what is
 * emitted is a message to that room. Sessions of clients need none of it, since each listens in the
 * graph as any session does: what is under their names goes nowhere, nor do Aedes' notices to
 * itself.
 */
import type { QoS } from 'mqtt-packet'
import { Refusal } from '../../../protocol/codes.ts'
import type { Limits } from '../../../protocol/limits.ts'
import type { Uuid7Source } from '../../../protocol/uuid7.ts'
import { straight } from '../../../router/deliver.ts'
import type { RoomMessage } from '../../../router/intake.ts'
import { ownText } from '../../../router/intake.ts'
import type { Place } from '../../../router/place.ts'
import type { Turn } from '../../../router/turn.ts'
import { envelopeOf } from '../mapping/publish.ts'
import { Emission, Listener, type Notify, type Published } from './listener.ts'
import { isOfSession } from './names.ts'

export interface EmitterParts {
  readonly turn: Turn
  readonly ids: Uuid7Source
  readonly topics: Topics
  readonly limits: Limits
}

/** Topics as rooms have them; undefined: it is of no room, and nobody hears it. */
export interface Topics {
  channelOf(topic: string): { readonly place: Place; readonly channel: string } | undefined
  /** What a filter of topics matches, as filters of one room's channels. */
  filtersOf(
    filter: string,
  ): { readonly place: Place; readonly filters: readonly string[] } | undefined
  topicOf(place: string, channel: string): string
}

type Done = (error?: Error) => void

const NO_BYTES = new Uint8Array()
/** Of a message that goes where the emitter says. */
const NO_ROUTING = { route: 0, channel: '', to: [], key: '', receipt: 0, retain: false }

export class Emitter {
  readonly #parts: EmitterParts
  /** By filter. */
  readonly #listeners = new Map<string, Listener[]>()
  /** In the rooms that something was emitted to. */
  readonly #speaker: Listener
  /** Emitted in this turn, and where. */
  #emitted: { readonly emission: Emission; readonly place: Place }[] = []
  /** Emitted, and not handled by all who heard them. */
  current = 0
  closed = false

  constructor(parts: EmitterParts) {
    this.#parts = parts
    this.#speaker = new Listener(this, parts.topics, () => {})
  }

  /** Of messages that wait to be emitted: none ever does. */
  get length(): number {
    return 0
  }

  on(filter: string, notify: Notify, done?: Done): Emitter {
    const where = isRouted(filter) ? this.#parts.topics.filtersOf(filter) : undefined
    if (!where) return answered(this, done)
    const listener = new Listener(this, this.#parts.topics, notify)
    listener.listen(where.place, where.filters)
    const others = this.#listeners.get(filter)
    if (others) others.push(listener)
    else this.#listeners.set(filter, [listener])
    return answered(this, done)
  }

  /** At once, so that a session that Aedes closes is closed when it says so. */
  removeListener(filter: string, notify: Notify, done?: Done): Emitter {
    const all = this.#listeners.get(filter) ?? []
    const gone = all.findIndex((each) => each.notify === notify)
    all[gone]?.leave()
    if (gone >= 0) all.splice(gone, 1)
    if (all.length === 0) this.#listeners.delete(filter)
    return answered(this, done)
  }

  removeAllListeners(filter: string, done?: Done): Emitter {
    for (const listener of this.#listeners.get(filter) ?? []) listener.leave()
    this.#listeners.delete(filter)
    return answered(this, done)
  }

  /** `done`: once all who hear it have handled it, or where nobody does. */
  emit(packet: Published, done: Done = () => {}): Emitter {
    if (this.closed) {
      done(new Error('the emitter is closed'))
      return this
    }
    const where = isRouted(packet.topic) ? this.#parts.topics.channelOf(packet.topic) : undefined
    if (!where) return answered(this, done)
    this.current++
    const end = (error?: Error) => {
      this.current--
      done(error)
    }
    try {
      this.#send(where.place, where.channel, new Emission(packet, end), end)
    } catch (error) {
      end(error as Error)
    }
    return this
  }

  close(done: Done): Emitter {
    this.closed = true
    for (const filter of [...this.#listeners.keys()]) this.removeAllListeners(filter)
    this.#speaker.leave()
    setImmediate(done)
    return this
  }

  /** All that was emitted in the turn is delivered in it: the emitter is waited for. */
  flush(): void {
    const emitted = this.#emitted
    this.#emitted = []
    for (const { emission, place } of emitted) {
      place.flush()
      emission.wasDelivered()
    }
  }

  #send(place: Place, channel: string, emission: Emission, refused: Done): void {
    const { ids, turn, limits } = this.#parts
    const { payload, qos = 0 } = emission.packet
    const content = Buffer.isBuffer(payload) ? payload : String(payload ?? '')
    const body = envelopeOf({ payload: content, qos: qos as QoS }, NO_ROUTING, limits)
    const message: RoomMessage & { readonly emission: Emission } = {
      id: ids.next(),
      origin: this.#speaker.mark,
      from: NO_BYTES,
      route: place.route,
      channel: channel === '' ? NO_BYTES : ownText(channel),
      target: NO_BYTES,
      sequence: 0,
      timeMs: ids.ms,
      epoch: 0,
      replay: 0,
      retain: false,
      emission,
    }
    const { intake = straight } = place
    intake.take({
      place,
      message,
      channel,
      body,
      sender: this.#speaker.enter(place),
      key: undefined,
      leg: undefined,
      waiter: {
        accept: () => {},
        settle: (end) => {
          if ('kind' in end) return refused(new Refusal(end.code, end.detail))
          if (end.sockets === 0) return emission.wasDelivered()
          this.#emitted.push({ emission, place })
          turn.touch(this)
        },
        doubt: () => {},
      },
    })
  }
}

function answered(emitter: Emitter, done: Done | undefined): Emitter {
  done?.()
  return emitter
}

/** Whether it may be of a room. */
function isRouted(topic: string): boolean {
  return !isOfSession(topic) && !topic.startsWith('$')
}
