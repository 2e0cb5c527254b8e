/**
 * What holds for every frame that a client sends on one connection, whatever the case is about. Its
 * twin for the other direction is server/wire-rules.ts.
 */
import type { Envelope } from '@porthouse/proto/v1/envelope'
import type { Frame, Hello, Limits } from '@porthouse/proto/v1/frame'
import type { Answer } from '@porthouse/proto/v1/lock_step'
import { kindOf, maySend, type Sendable } from '../frame-kind.ts'

/** Frames that a client may send (PH-3.1), of those that have an action by it. */
const FROM_CLIENT: Sendable = {
  hello: undefined,
  envelope: undefined,
  drop: undefined,
  lockStep: ['answer'],
  room: ['join', 'leave', 'fetch', 'cursor', 'listMembers'],
  command: [
    'listSockets',
    'listRooms',
    'listClients',
    'listUnread',
    'getStats',
    'dropSocket',
    'admit',
    'watch',
  ],
}

/** Answers that are not the last one to their question, but for a Challenge to an Answer. */
const GOES_ON = ['envelope', 'challenge']
const ENCODER = new TextEncoder()
const size = (text: string) => ENCODER.encode(text).length
/** PH-11.1, roughly: what else an address may be is the gateway's to refuse. */
const ADDRESS = /^(room|client|socket|group|token|lock|lobby):[^\s/]+(\/[^/]+)*$/u

export class FrameRules {
  readonly #broke: (clause: string, what: string) => void
  /** What was asked and is not answered, by id. */
  readonly #open = new Map<number, string>()
  readonly #routes = new Set<number>()
  /** Answers that no verdict has come for, given before a lock asked. */
  readonly #ahead = new Set<number>()
  #frames = 0
  #packets = 0
  #isResuming = false
  #limits: Limits | undefined

  constructor(broke: (clause: string, what: string) => void) {
    this.#broke = broke
  }

  /** A packet came, which took so many bytes. */
  packet(frames: readonly Frame[], bytes: number): void {
    const { packetBytes = 0, packetFrames = 0 } = this.#limits ?? {}
    if (packetBytes && bytes > packetBytes) this.#broke('PH-2.1', `a packet of ${bytes} bytes`)
    if (packetFrames && frames.length > packetFrames) {
      this.#broke('PH-2.1', `a packet of ${frames.length} frames`)
    }
    if (frames.length > 0) this.#packets++
    // It gives up that the token can be used again.
    if (this.#isResuming && !this.#limits && this.#packets > 1) {
      this.#broke('PH-4.7', 'a second packet before Welcome, with Hello.resume')
    }
  }

  /** One of its frames, which took so many bytes. */
  frame(frame: Frame, bytes: number): void {
    const { id, body } = frame
    const kind = kindOf(body)
    if (!maySend(FROM_CLIENT, body)) this.#broke('PH-3.1', `a client does not send ${kind}`)
    const { frameBytes = 0 } = this.#limits ?? {}
    if (frameBytes && bytes > frameBytes) this.#broke('PH-2.1', `a frame of ${bytes} bytes`)
    if (body.case === 'hello') this.#hello(body.value)
    this.#frames++
    if (id !== 0 && this.#open.has(id)) {
      this.#broke('PH-2.4', `${kind} with id ${id}, which ${this.#open.get(id)} still waits for`)
    }
    if (id !== 0 && waits(frame)) this.#open.set(id, kind)
    if (body.case === 'envelope') this.#envelope(body.value)
    if (body.case === 'lockStep' && body.value.step.case === 'answer') {
      this.#answer(id, body.value.lock, body.value.step.value)
    }
    if (body.case === 'room' && body.value.action.case === 'join') {
      this.#address(body.value.action.value.address)
    }
  }

  /** The gateway has sent this. */
  sent({ id, body }: Frame): void {
    const kind = kindOf(body)
    if (body.case === 'welcome') this.#limits = body.value.limits
    if (body.case === 'room' && body.value.action.case === 'joined') {
      this.#routes.add(body.value.action.value.route)
    }
    const asked = this.#open.get(id)
    if (asked === undefined || (GOES_ON.includes(kind) && asked !== 'answer')) return
    // A Join that met a lock is answered by Joined, whatever the lock said.
    if (asked === 'join' && kind === 'verdict') return
    this.#open.delete(id)
    this.#ahead.delete(id)
  }

  #hello({ capabilities, agent, resume }: Hello): void {
    if (this.#frames > 0) this.#broke('PH-3.1', 'Hello is not the first frame')
    this.#isResuming = resume !== ''
    if (capabilities.length > 32 || capabilities.some((name) => size(name) > 64)) {
      this.#broke('PH-4.5', 'more than 32 capabilities of 64 bytes')
    }
    if (size(agent) > 128) this.#broke('PH-4.5', 'an agent of more than 128 bytes')
  }

  #answer(id: number, lock: string, { acceptor, response }: Answer): void {
    if (acceptor === '') this.#broke('PH-5.3', 'an Answer without an acceptor')
    const { case: kind, value } = response
    const bytes = kind === 'text' ? size(value) : kind === 'data' ? value.length : 0
    if (bytes > 16_384) this.#broke('PH-4.5', `an Answer of ${bytes} bytes`)
    if (lock === '') this.#ahead.add(id)
    if (this.#ahead.size > 8) this.#broke('PH-4.5', 'more than 8 answers given ahead')
  }

  #envelope({ stamp, routing, headers, correlationId, contentType }: Envelope): void {
    if (stamp) this.#broke('PH-6.3', 'a sender sets the stamp')
    if (correlationId.length > 128 || size(contentType) > 128) {
      this.#broke('PH-4.5', 'a correlation id or content type of more than 128 bytes')
    }
    if (Object.keys(headers).some((name) => name === '')) {
      this.#broke('PH-6.6', 'a header without a name')
    }
    if (!routing) return
    const { route, to, channel, idempotencyKey } = routing
    if (route && to.length > 0) this.#broke('PH-6.7', 'route and to together')
    if (channel && !route) this.#broke('PH-6.7', 'a channel without a route')
    if (route && !this.#routes.has(route)) {
      this.#broke('PH-7.4', `route ${route}, which was not given`)
    }
    if (size(idempotencyKey) > 128) this.#broke('PH-4.5', 'a key of more than 128 bytes')
    for (const address of to) this.#address(address)
  }

  #address(address: string): void {
    if (!ADDRESS.test(address)) this.#broke('PH-11.1', `${JSON.stringify(address)} is no address`)
  }
}

/** Whether an answer comes for sure. */
function waits({ body }: Frame): boolean {
  if (body.case === 'drop') return false
  return body.case !== 'envelope' || (body.value.routing?.receipt ?? 0) !== 0
}
