/**
 * What it costs a message that its path is noted, and told as a span (decision 20): the router and
 * its fan-out to one socket, without both, with why, with traces that nobody collects, and with a
 * provider that throws every span away. Prints one line of JSON, in nanoseconds of CPU a message.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { trace } from '@opentelemetry/api'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { schema } from '../gateway/config/config.ts'
import { binaryLane } from '../gateway/ingress/websocket/binary-lane.ts'
import { Tally } from '../gateway/observe/counts.ts'
import { scanEnvelope } from '../gateway/protocol/scan-envelope.ts'
import { Uuid7Source } from '../gateway/protocol/uuid7.ts'
import { readConfig } from '../gateway/rooms/config.ts'
import { Graph } from '../gateway/router/graph.ts'
import { IdempotencyWindow } from '../gateway/router/idempotency.ts'
import { newMembership } from '../gateway/router/membership.ts'
import { OwnChannels } from '../gateway/router/own-channels.ts'
import { Place } from '../gateway/router/place.ts'
import { Router } from '../gateway/router/router.ts'
import type { Socket } from '../gateway/router/socket.ts'
import { Turn } from '../gateway/router/turn.ts'
import { openRecorder } from '../gateway/why/recorder.ts'
import { summarize } from './statistics.ts'

const ROUNDS = 15
const ROUND_MS = 100
const MESSAGES_A_TURN = 200

const { limits, why, idempotency, resume } = schema.parse({ data: '.' })
const flows = { acceptors: new Map(), defaults: { tries: 3, deadlineMs: 10_000 } }
const open = create(ConfigSchema, {
  blocks: [{ kind: { case: 'access', value: { locks: [] } } }],
})

/** A room with a sender and a listener; each call sends a turn's messages. */
function room(features: readonly string[]): () => void {
  let end = () => {}
  const defer = (run: () => void) => {
    end = run
  }
  const turn = new Turn(defer, () => performance.now())
  const graph = new Graph()
  const uptime = () => Math.trunc(turn.now)
  const own = new OwnChannels({
    graph,
    options: { ...resume, ageMs: resume.windowMs },
    clock: Date.now,
    uptime,
  })
  const router = new Router({
    graph,
    ids: new Uuid7Source(Date.now, (size) => Buffer.alloc(size, 7)),
    window: new IdempotencyWindow(idempotency),
    own,
    uptime,
    trails: openRecorder({ features, why }, turn),
  })
  const place = new Place(
    1,
    'acme/boiler',
    { epoch: 1, sequence: 0 },
    readConfig(open, flows),
    turn,
  )
  const [sender] = [1, 2].map((number) => {
    const socket = socketOf(`socket${number}`.padEnd(16, 'a'))
    const member = newMembership(socket, place)
    const [actor] = socket.actors
    const from = actor!.from
    const right = { actor: actor!, from, channels: [], right: 'open', holder: '' } as const
    member.senders = [right]
    member.free = right
    member.hears = ['']
    place.members.add(member)
    ;(socket.memberships as Map<number, typeof member>).set(1, member)
    if (number === 2) place.listen(member, '')
    return socket
  })
  const envelope = create(EnvelopeSchema, {
    routing: { route: 1, receipt: ReceiptLevel.ROUTED },
    content: { case: 'payload', value: new Uint8Array(128) },
  })
  const bytes = Buffer.from(toBinary(EnvelopeSchema, envelope))
  return () => {
    for (let n = 0; n < MESSAGES_A_TURN; n++) {
      router.publish(sender!, scanEnvelope(bytes, 0, bytes.length, limits))
    }
    end()
  }
}

function socketOf(id: string): Socket {
  const address = `socket:${id}`
  const from = Buffer.from(address)
  return {
    id,
    mark: Symbol(id),
    lane: binaryLane,
    actors: [{ address, from, principal: address, terms: undefined }],
    accounts: new Set(),
    client: undefined,
    names: new Map(),
    memberships: new Map(),
    target: undefined,
    tally: new Tally(),
    deliver() {},
    direct() {},
  }
}

/** Nanoseconds of CPU a message. */
function measure(send: () => void): number {
  const began = performance.now()
  const before = process.cpuUsage()
  let turns = 0
  for (; performance.now() - began < ROUND_MS; turns++) send()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / (turns * MESSAGES_A_TURN)
}

function compare(rooms: Readonly<Record<string, () => void>>) {
  for (const send of Object.values(rooms)) for (let n = 0; n < 10; n++) measure(send)
  const all = Object.entries(rooms).map(([name, send]) => ({ name, send, rounds: [] as number[] }))
  for (let n = 0; n < ROUNDS; n++) for (const each of all) each.rounds.push(measure(each.send))
  return Object.fromEntries(all.map(({ name, rounds }) => [name, summarize(rounds)]))
}

const without = compare({ off: room([]), why: room(['why']), traces: room(['traces']) })
new NodeTracerProvider().register()
const collected = compare({ collected: room(['why', 'traces']) })
trace.disable()
console.log(JSON.stringify({ ...without, ...collected }))
