/**
 * Step 1: where does it go? The order is fixed (R27): the destinations given, else the place that
 * the socket entered by, else its own client, else the void.
 */
import { Code } from '@porthouse/proto/v1/code'
import { formatAddress, parseAddress } from '../protocol/address.ts'
import { checkChannel } from '../protocol/channel.ts'
import { Refusal } from '../protocol/codes.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import { type Destination, refused } from './destination.ts'
import type { Graph } from './graph.ts'
import type { Socket } from './socket.ts'

/** Rooms that the sender could not enter, by name as written. */
export type Barred = ReadonlyMap<string, Refusal>

/** Empty: the void. */
export function resolve(
  graph: Graph,
  origin: Socket,
  envelope: ScannedEnvelope,
  barred: Barred,
): Destination[] {
  if (envelope.route !== 0) return [routed(origin, envelope)]
  if (envelope.to.length > 0)
    return envelope.to.map((name) => addressed(graph, origin, name, barred))
  if (origin.target) return [{ kind: 'room', name: '', ...origin.target }]
  if (origin.client) return [{ kind: 'client', name: origin.client, key: origin.client }]
  return []
}

function routed(origin: Socket, { route, channel }: ScannedEnvelope): Destination {
  // Mostly it is the room that the socket entered first, and a look into a map is spared.
  const home = origin.target?.membership
  const membership = home?.place.route === route ? home : origin.memberships.get(route)
  if (!membership) {
    return refused('', Code.ROUTE_UNKNOWN, `route ${route} is not one of this session`)
  }
  try {
    if (channel !== '') checkChannel(channel)
  } catch (error) {
    return refusedBy('', error)
  }
  return { kind: 'room', name: '', membership, channel }
}

function addressed(graph: Graph, origin: Socket, name: string, barred: Barred): Destination {
  const refusal = barred.get(name)
  if (refusal) return refused(name, refusal.code, refusal.detail)
  try {
    const address = parseAddress(name)
    switch (address.kind) {
      case 'room': {
        const place = graph.place(`${address.account}/${address.room}`)
        const membership = place && origin.memberships.get(place.route)
        if (membership) return { kind: 'room', name, membership, channel: address.channel ?? '' }
        return refused(name, Code.ENTRY_NOT_PERMITTED, 'the socket is not in this room')
      }
      case 'socket':
        return { kind: 'socket', name, key: address.socket }
      case 'client': {
        const written = formatAddress(address)
        const [socket] = graph.socketsOf(written)
        return { kind: 'client', name, key: socket?.client ?? written }
      }
      default:
        return refused(name, Code.UNIMPLEMENTED, `a ${address.kind} cannot be sent to yet`)
    }
  } catch (error) {
    return refusedBy(name, error)
  }
}

function refusedBy(name: string, error: unknown): Destination {
  if (error instanceof Refusal) return refused(name, error.code, error.detail)
  throw error
}
