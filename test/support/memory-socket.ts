/** A socket for the router that keeps what it is given; no session, no connection. */
import type { Frame } from '@porthouse/proto/v1/frame'
import { binaryLane } from '../../gateway/ingress/websocket/binary-lane.ts'
import { Tally } from '../../gateway/observe/counts.ts'
import type { Stamp } from '../../gateway/protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../../gateway/protocol/scan-envelope.ts'
import type { Batch } from '../../gateway/router/batch.ts'
import type { Graph } from '../../gateway/router/graph.ts'
import type { Lane } from '../../gateway/router/lane.ts'
import { type Membership, newMembership } from '../../gateway/router/membership.ts'
import type { Place } from '../../gateway/router/place.ts'
import { rateOf } from '../../gateway/router/place-config.ts'
import type { Actor, Socket, Target } from '../../gateway/router/socket.ts'
import { framesIn } from './heard.ts'

export interface MemorySocketOptions {
  readonly lane?: Lane
  /** `client:{account}/{client}`. */
  readonly client?: string
  readonly accounts?: readonly string[]
}

export class MemorySocket implements Socket {
  readonly id: string
  readonly mark = Symbol('socket')
  readonly lane: Lane
  readonly tally = new Tally()
  readonly actors: readonly Actor[]
  readonly accounts: ReadonlySet<string>
  readonly client: string | undefined
  readonly names: ReadonlyMap<string, string>
  readonly memberships = new Map<number, Membership>()
  target: Target | undefined = undefined
  /** All frames so far, in order. */
  readonly heard: Frame[] = []

  constructor(id: string, { lane = binaryLane, client, accounts = [] }: MemorySocketOptions = {}) {
    this.id = id
    this.lane = lane
    const address = client ?? `socket:${id}`
    const from = Buffer.from(address)
    this.actors = [{ address, from, principal: address, terms: undefined }]
    this.accounts = new Set(accounts)
    this.client = client
    this.names = new Map(client ? [[client, client]] : [])
  }

  /** Makes it known to the graph. */
  in(graph: Graph): this {
    graph.addSocket(this)
    graph.addNames(this, this.names.keys())
    return this
  }

  enter(place: Place, { maySend = true } = {}): Membership {
    const senders = maySend
      ? this.actors.map((actor) => {
          const { from, principal: holder } = actor
          return { actor, from, channels: [], right: 'client' as const, holder }
        })
      : []
    const member = newMembership(this, place, this.actors[0]?.address ?? '')
    member.free = senders[0]
    member.senders = senders
    member.hears = ['']
    member.rate = rateOf(place.config)
    this.memberships.set(place.route, member)
    place.members.add(member)
    return member
  }

  deliver(batch: Batch, from: number, to: number): void {
    const frames = framesIn(batch.bytes(from, to))
    if (frames.length !== to - from) throw new Error(`${frames.length} frames for ${from} to ${to}`)
    this.heard.push(...frames)
  }

  direct(envelope: ScannedEnvelope, stamp: Stamp): void {
    const writer = this.lane.writer()
    writer.envelope(envelope, stamp)
    this.heard.push(...framesIn(writer.whole()))
  }

  /** What it heard since the last call. */
  take(): Frame[] {
    return this.heard.splice(0)
  }
}
