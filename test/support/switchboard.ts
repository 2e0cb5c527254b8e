/** A router with its graph, and the ends of its turns in the test's hands. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { type ScannedEnvelope, scanEnvelope } from '../../gateway/protocol/scan-envelope.ts'
import { Uuid7Source } from '../../gateway/protocol/uuid7.ts'
import { Graph } from '../../gateway/router/graph.ts'
import { IdempotencyWindow } from '../../gateway/router/idempotency.ts'
import type { Outcome } from '../../gateway/router/outcome.ts'
import { OwnChannels } from '../../gateway/router/own-channels.ts'
import { Place } from '../../gateway/router/place.ts'
import type { PlaceConfig } from '../../gateway/router/place-config.ts'
import { Router } from '../../gateway/router/router.ts'
import type { Ahead } from '../../gateway/router/trail.ts'
import { Turn } from '../../gateway/router/turn.ts'
import { Recorder } from '../../gateway/why/recorder.ts'
import { Ring } from '../../gateway/why/ring.ts'
import { stepsOf, type TrailStep } from '../../gateway/why/steps.ts'
import { limits } from './limits.ts'
import { MemorySocket, type MemorySocketOptions } from './memory-socket.ts'
import { plainPlace } from './plain-place.ts'
import { SteeredLoop } from './steered-loop.ts'

type EnvelopeInit = MessageInitShape<typeof EnvelopeSchema>

const WHY = { messages: 1_000, bytes: 1_000_000, ageMs: 60_000 }
const OWN = { messages: 100, bytes: 65_536, ageMs: 120_000, allBytes: 1_000_000 }

export class Switchboard {
  now = 1_700_000_000_000
  readonly graph = new Graph()
  readonly loop = new SteeredLoop()
  readonly turn: Turn
  readonly router: Router
  readonly ring: Ring
  readonly trails: Recorder
  #deferred: (() => void)[] = []
  #places = 0
  #sockets = 0

  constructor(idempotency = { windowMs: 1000, keys: 100 }, why = WHY) {
    this.turn = new Turn(
      (run) => this.#deferred.push(run),
      () => this.now,
      this.loop,
    )
    const clock = () => this.now
    const micros = () => this.now * 1000
    this.ring = new Ring(why, micros)
    this.trails = new Recorder({ micros, ring: this.ring })
    this.router = new Router({
      trails: this.trails,
      graph: this.graph,
      ids: new Uuid7Source(clock, (size) => Buffer.alloc(size, 7)),
      window: new IdempotencyWindow(idempotency),
      own: new OwnChannels({ graph: this.graph, options: OWN, clock, uptime: clock }),
      uptime: clock,
    })
  }

  endTurn(): void {
    for (const run of this.#deferred.splice(0)) run()
  }

  place(name: string, config: Partial<PlaceConfig> = {}): Place {
    const position = { epoch: this.now, sequence: 0 }
    const whole = { ...plainPlace, ...config }
    const place = new Place(++this.#places, name, position, whole, this.turn)
    this.graph.addPlace(place, [name])
    return place
  }

  socket(options?: MemorySocketOptions): MemorySocket {
    return new MemorySocket(socketId(this.#sockets++), options).in(this.graph)
  }

  /** What was noted of a message; undefined where that is not known. */
  why({ ownId }: Outcome): TrailStep[] | undefined {
    const trail = this.trails.find(ownId)
    return trail && stepsOf(trail, () => 'all')
  }

  publish(origin: MemorySocket, envelope: EnvelopeInit, ahead?: Ahead): Outcome {
    return this.router.publish(origin, scanned(envelope), ahead)
  }

  rehearse(origin: MemorySocket, envelope: EnvelopeInit, ahead: Ahead) {
    return this.router.rehearse(origin, scanned(envelope), ahead, this.trails.micros)
  }
}

function scanned(envelope: EnvelopeInit): ScannedEnvelope {
  const bytes = Buffer.from(toBinary(EnvelopeSchema, create(EnvelopeSchema, envelope)))
  return scanEnvelope(bytes, 0, bytes.length, limits)
}

/** 16 characters of the alphabet of ids. */
function socketId(number: number): string {
  return number
    .toString(26)
    .padStart(16, '0')
    .replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 26)))
}
