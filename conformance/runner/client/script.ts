/**
 * The script of a case: which step the reference gateway is at, and what takes it to the next one.
 * A step that waits for nothing is done at once, so that what comes in meets the step that it has
 * to meet whatever the machine's speed.
 */
import { fromJson, type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf'
import type { Value } from '@bufbuild/protobuf/wkt'
import type { Accept, GatewayStep, Refuse } from '@porthouse/proto/conformance/v1/client_suite'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import { fill, mismatch, show, templateOf, type Variables } from '../template.ts'
import { act } from './act.ts'
import type { Connection } from './connection.ts'

export interface ScriptHost {
  readonly variables: Variables
  /** Whether the plain gateway answers what the script does not take. */
  readonly answers: boolean
  broke(clause: string, what: string): void
  trace(line: string): void
  /** A frame of a script with what is the gateway's own. */
  complete(frame: JsonObject): JsonObject
  /** Nothing listens until `back` is called. */
  goAway(ms: number, back: () => void): void
  /** Nothing is left to do. */
  finished(): void
}

/** What becomes of a request to upgrade. */
export type Handshake =
  | { readonly kind: 'accept'; readonly accept: Accept | undefined }
  | { readonly kind: 'refuse'; readonly refuse: Refuse }
  | { readonly kind: 'hang' }

type Does = GatewayStep['does']

/** A case whose script begins otherwise accepts a connection first. */
const BEGINNINGS = ['accept', 'refuse', 'hang', 'goneMs']

export class Script {
  readonly #steps: readonly Does[]
  readonly #host: ScriptHost
  #at = -1
  #connection: Connection | undefined
  #timer: NodeJS.Timeout | undefined
  /** What is to be answered once the script has sent Welcome. */
  #held: Frame[] = []

  constructor(steps: readonly GatewayStep[], host: ScriptHost) {
    const does = steps.map((step) => step.does)
    const begins = BEGINNINGS.includes(does[0]?.case ?? '')
    const accept = { case: 'accept', value: {} as Accept } as const
    this.#steps = begins ? does : [accept, ...does]
    this.#host = host
  }

  start(): void {
    this.#next()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** The step that waits, for a person; undefined where the script is over. */
  get waitsFor(): string | undefined {
    const step = this.#now
    if (!step) return undefined
    return `step ${this.#at + 1} of the gateway waits: ${show({ [step.case!]: jsonOf(step) })}`
  }

  get #now(): Does | undefined {
    return this.#steps[this.#at]
  }

  /** Somebody connects. `request` is what a template of Accept.request is held against. */
  offered(request: JsonObject): Handshake {
    const step = this.#now
    if (step?.case === 'quietMs') this.#host.broke('the script', 'a connection, where all is quiet')
    if (step?.case === 'refuse') {
      this.#next()
      return { kind: 'refuse', refuse: step.value }
    }
    if (step?.case === 'hang') {
      this.#next()
      return { kind: 'hang' }
    }
    if (step?.case !== 'accept') return { kind: 'accept', accept: undefined }
    const expected = step.value.request
    const why = expected && mismatch(expected as JsonValue, request, this.#host.variables)
    if (why) this.#host.broke('the script', `the request: ${why}`)
    return { kind: 'accept', accept: step.value }
  }

  opened(connection: Connection): void {
    this.#connection = connection
    this.#held = []
    if (this.#now?.case === 'accept') this.#next()
  }

  packet(connection: Connection, frames: readonly Frame[]): void {
    this.#guarded(() => this.#packet(connection, frames))
  }

  #packet(connection: Connection, frames: readonly Frame[]): void {
    connection.plain.packet()
    // What was on its way to a connection that was ended counts for nothing.
    if (this.#now?.case === 'quietMs' && connection.isOpen) {
      this.#host.broke('the script', `${frames.length} frames came, where all is quiet`)
    }
    if (connection === this.#connection && this.#takesPacket(frames)) return
    if (frames.length === 0) return this.#answer(connection, [])
    let answers: Frame[] = []
    for (const frame of frames) {
      if (connection === this.#connection && this.#takes(frame)) {
        this.#answer(connection, answers)
        answers = []
        this.#next()
      } else {
        answers.push(...this.#plainAnswer(connection, frame))
      }
    }
    if (answers.length > 0) this.#answer(connection, answers)
  }

  ponged(connection: Connection): void {
    if (connection === this.#connection && this.#now?.case === 'ping') this.#next()
  }

  closed(connection: Connection): void {
    if (connection === this.#connection && this.#now?.case === 'closed') this.#next()
  }

  /** A whole packet that the script waits for. */
  #takesPacket(frames: readonly Frame[]): boolean {
    const step = this.#now
    if (step?.case === 'heartbeat' && frames.length === 0) {
      this.#next()
      return true
    }
    if (step?.case !== 'takePacket') return false
    const expected = step.value.frames.map(templateOf)
    if (mismatch(expected, frames.map(frameJson), this.#host.variables)) return false
    this.#host.variables.set('id', frames.at(-1)?.id ?? 0)
    this.#next()
    return true
  }

  #takes(frame: Frame): boolean {
    const step = this.#now
    if (step?.case !== 'take' && step?.case !== 'next') return false
    const why = mismatch(templateOf(step.value), frameJson(frame), this.#host.variables, 'frame')
    if (why && step.case === 'take') return false
    if (why) this.#host.broke('the script', why)
    this.#host.variables.set('id', frame.id)
    return true
  }

  #plainAnswer(connection: Connection, frame: Frame): readonly Frame[] {
    if (frame.body.case === 'drop' && frame.id === 0) connection.close(1000)
    return connection.plain.answer(frame)
  }

  #answer(connection: Connection, frames: readonly Frame[]): void {
    if (!this.#host.answers || connection.droppedAtMs !== undefined) return
    // Welcome comes first, however late the script sends it.
    const isWelcome = frames.some(({ body }) => body.case === 'welcome')
    if (connection.owesWelcome && !isWelcome) this.#held.push(...frames)
    else connection.send(frames)
  }

  #answerHeld(connection: Connection): void {
    const held = this.#held.splice(0)
    if (held.length > 0) this.#answer(connection, held)
  }

  /** Goes on to the next step that waits. */
  #next(): void {
    this.#guarded(() => {
      while (++this.#at < this.#steps.length) {
        const step = this.#now!
        this.#host.trace(`step ${this.#at + 1} ${step.case}`)
        if (!this.#does(step)) return
      }
      this.#host.finished()
    })
  }

  /** What a case says wrong is a failure of that case alone. */
  #guarded(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#host.broke('the script', `step ${this.#at + 1}: ${(error as Error).message}`)
    }
  }

  /** Does a step; whether it is over with that. */
  #does(step: Does): boolean {
    switch (step.case) {
      case 'accept':
      case 'refuse':
      case 'hang':
      case 'take':
      case 'next':
      case 'takePacket':
      case 'heartbeat':
        return false
      case 'closed':
        return this.#connection?.isOpen === false
      case 'goneMs':
        this.#host.goAway(step.value, () => this.#next())
        return false
      case 'quietMs':
      case 'pauseMs':
        this.#timer = setTimeout(() => this.#next(), step.value)
        return false
      case 'ping':
        this.#connection!.ping()
        return false
      default:
        this.#acts(step, this.#connection!)
        return true
    }
  }

  #acts(step: Does, connection: Connection): void {
    act(step, connection, (templates, n) => {
      this.#host.variables.set('n', n)
      return templates.map((template) => this.#frame(template))
    })
    if (!connection.owesWelcome) this.#answerHeld(connection)
  }

  #frame(template: Value): Frame {
    const filled = fill(templateOf(template), this.#host.variables) as JsonObject
    return fromJson(FrameSchema, this.#host.complete(filled))
  }
}

const frameJson = (frame: Frame): JsonValue => toJson(FrameSchema, frame)

function jsonOf(step: Does): JsonValue {
  if (step.case === 'take' || step.case === 'next') return templateOf(step.value)
  if (step.case === 'takePacket') return step.value.frames.map(templateOf)
  return typeof step.value === 'number' ? step.value : true
}
