/**
 * The loads whose cost is bounded, in the shapes of the bench (W1 to W3): each turn sends all it
 * has and ends when all that is due has come, so that every turn costs the same.
 */
import type { MeasuredGateway } from './gateway.ts'
import { Arrivals } from './load/arrivals.ts'
import { MqttPeer } from './load/mqtt-peer.ts'
import type { Peer } from './load/peer.ts'
import { WebSocketPeer } from './load/websocket-peer.ts'

export interface Load {
  readonly peers: readonly Peer[]
  /** Messages times those who hear them, a turn. */
  readonly deliveries: number
  turn(): Promise<void>
}

export type Gather = (gateway: MeasuredGateway) => Promise<Load>

export type Medium = 'websocket' | 'mqtt'

const ACCOUNT = 'acme'
const MEMBERS = 100
const PAIRS_MAX = 100
const SENDERS = 100
/** Publishes of a sender of W3 that are outstanding. */
const WINDOW = 4

const pairRoom = (pair: number) => `w2-${pair}`

/** By their slugs. */
export const rooms = ['w1', ...times(PAIRS_MAX, pairRoom), 'w3']

const payload = Buffer.alloc(128, 'payload')

/** W1: one publisher, and a hundred members who speak `members` in turn. */
export function fanOut(burst: number, publisher: Medium, ...members: Medium[]): Gather {
  return async (gateway) => {
    const open = peersOf(gateway, 'w1')
    const listeners = await Promise.all(
      times(MEMBERS, (i) => open.peer(members[i % members.length]!)),
    )
    const sender = await open.peer(publisher, { sendOnly: true })
    const bytes = Buffer.concat(times(burst, () => sender.publish(payload)))
    const deliveries = MEMBERS * burst
    return {
      peers: [...listeners, sender],
      deliveries,
      async turn() {
        const come = open.arrivals.due(deliveries)
        sender.send(bytes)
        await come
      },
    }
  }
}

/** W2: in each of so many rooms of two, one asks and then the other answers. */
export function exchange(pairs: number): Gather {
  return async (gateway) => {
    const arrivals = new Arrivals()
    const side = () =>
      Promise.all(times(pairs, (i) => peersOf(gateway, pairRoom(i), arrivals).peer('websocket')))
    const sides = [await side(), await side()]
    const puts = sides.map((peers) => {
      const messages = peers.map((peer) => peer.publish(payload))
      return () => peers.forEach((peer, i) => void peer.send(messages[i]!))
    })
    return {
      peers: sides.flat(),
      deliveries: 2 * pairs,
      async turn() {
        for (const put of puts) {
          const come = arrivals.due(pairs)
          if (pairs === 1) put()
          else gateway.still(put)
          await come
        }
      },
    }
  }
}

/** W3: a hundred senders, each of whose publishes is acknowledged, and one who hears them all. */
export function ingest(medium: Medium): Gather {
  return async (gateway) => {
    const open = peersOf(gateway, 'w3')
    const listener = await open.peer(medium, { acknowledges: true })
    const senders = await Promise.all(times(SENDERS, () => open.peer(medium, { sendOnly: true })))
    const bytes = senders.map((sender) =>
      Buffer.concat(times(WINDOW, (i) => sender.publish(payload.subarray(64), 1 + i))),
    )
    const deliveries = SENDERS * WINDOW
    return {
      peers: [listener, ...senders],
      deliveries,
      async turn() {
        const come = open.arrivals.due(2 * deliveries)
        gateway.still(() => senders.forEach((sender, i) => void sender.send(bytes[i]!)))
        await come
      },
    }
  }
}

interface Way {
  readonly sendOnly?: boolean
  readonly acknowledges?: boolean
}

interface Peers {
  readonly arrivals: Arrivals
  peer(medium: Medium, way?: Way): Promise<Peer>
}

function peersOf(gateway: MeasuredGateway, slug: string, arrivals = new Arrivals()): Peers {
  const { port, mqttPort, token } = gateway
  const room = `${ACCOUNT}/${slug}`
  return {
    arrivals,
    peer(medium, { sendOnly = false, acknowledges = false } = {}) {
      const entry = { token, room, sendOnly, acknowledges }
      if (medium === 'mqtt') return MqttPeer.open({ ...entry, port: mqttPort }, arrivals)
      return WebSocketPeer.open({ ...entry, port }, arrivals)
    },
  }
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i))
}
