/** A router with its graph, and the ends of its turns in the test's hands. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { scanEnvelope } from '../../gateway/protocol/scan-envelope.ts'
import { Uuid7Source } from '../../gateway/protocol/uuid7.ts'
import { Graph } from '../../gateway/router/graph.ts'
import { IdempotencyWindow } from '../../gateway/router/idempotency.ts'
import type { Outcome } from '../../gateway/router/outcome.ts'
import { OwnChannels } from '../../gateway/router/own-channels.ts'
import { Place } from '../../gateway/router/place.ts'
import { Router } from '../../gateway/router/router.ts'
import { Turn } from '../../gateway/router/turn.ts'
import { limits } from './limits.ts'
import { MemorySocket, type MemorySocketOptions } from './memory-socket.ts'
import { plainPlace } from './plain-place.ts'

type EnvelopeInit = MessageInitShape<typeof EnvelopeSchema>

const OWN = { messages: 100, bytes: 65_536, ageMs: 120_000, allBytes: 1_000_000 }

export class Switchboard {
  now = 1_700_000_000_000
  readonly graph = new Graph()
  readonly turn: Turn
  readonly router: Router
  #deferred: (() => void)[] = []
  #places = 0
  #sockets = 0

  constructor(idempotency = { windowMs: 1000, keys: 100 }) {
    this.turn = new Turn((run) => this.#deferred.push(run))
    const clock = () => this.now
    this.router = new Router({
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

  place(name: string, { echo = false } = {}): Place {
    const position = { epoch: this.now, sequence: 0 }
    const place = new Place(++this.#places, name, position, { ...plainPlace, echo }, this.turn)
    this.graph.addPlace(place, [name])
    return place
  }

  socket(options?: MemorySocketOptions): MemorySocket {
    return new MemorySocket(socketId(this.#sockets++), options).in(this.graph)
  }

  publish(origin: MemorySocket, envelope: EnvelopeInit): Outcome {
    const bytes = Buffer.from(toBinary(EnvelopeSchema, create(EnvelopeSchema, envelope)))
    return this.router.publish(origin, scanEnvelope(bytes, 0, bytes.length, limits))
  }
}

/** 16 characters of the alphabet of ids. */
function socketId(number: number): string {
  return number
    .toString(26)
    .padStart(16, '0')
    .replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 26)))
}
