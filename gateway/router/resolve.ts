/**
 * Step 1: where does it go, and in whose name? The order is fixed (R27): the destinations given,
 * else the place that the socket entered by, else its own client, else the void. The name is the
 * one that the envelope says, else the first that may (R8).
 */
import { Code } from '@porthouse/proto/v1/code'
import { formatAddress, parseAddress } from '../protocol/address.ts'
import { checkChannel } from '../protocol/channel.ts'
import { Refusal } from '../protocol/codes.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import { type Destination, refused, refusedFor } from './destination.ts'
import type { Places } from './graph.ts'
import { grantOf, type Membership, maySend, type Sender } from './membership.ts'
import type { Actor, Socket, Target } from './socket.ts'

/** Rooms that the sender could not enter, by name as written. */
export type Barred = ReadonlyMap<string, Refusal>

/** Empty: the void. */
export function resolve(
  graph: Places,
  origin: Socket,
  envelope: ScannedEnvelope,
  barred: Barred,
): Destination[] {
  if (envelope.route !== 0) return [routed(origin, envelope)]
  const actor = actorOf(origin, envelope.acting)
  if (envelope.to.length > 0) {
    return envelope.to.map((name) => addressed(graph, origin, name, envelope, actor, barred))
  }
  const { target, client } = origin
  if (target?.kind === 'room') return [inHome(target, envelope)]
  if (!actor) return [notThatOne('')]
  if (target) return [{ kind: 'echo', name: target.address, key: origin.id, actor }]
  if (client) return [{ kind: 'name', name: client, key: client, actor }]
  return []
}

/** Where the room's config says, else where the socket entered. */
function inHome(
  { membership, channel }: Extract<Target, { kind: 'room' }>,
  envelope: ScannedEnvelope,
): Destination {
  const { defaultTarget } = membership.place.config
  if (defaultTarget?.kind === 'group') return inGroup('', membership, defaultTarget.group, envelope)
  return inRoom('', membership, defaultTarget?.channel ?? channel, envelope)
}

function actorOf({ actors }: Socket, acting: string): Actor | undefined {
  return acting === '' ? actors[0] : actors.find(({ address }) => address === acting)
}

/** The first of those asked for who may send there; else the first, who is to be refused. */
function senderIn(
  { free, senders }: Membership,
  acting: string,
  channel: string,
): Sender | undefined {
  if (acting === '' && free) return free
  const asked = acting === '' ? senders : senders.filter(({ actor }) => actor.address === acting)
  return asked.find((sender) => maySend(sender, channel)) ?? asked[0]
}

function routed(origin: Socket, envelope: ScannedEnvelope): Destination {
  const { route, channel } = envelope
  // Mostly it is the room that the socket entered first, and a look into a map is spared.
  const { target } = origin
  const home = target?.kind === 'room' ? target.membership : undefined
  const membership = home?.place.route === route ? home : origin.memberships.get(route)
  if (!membership) {
    return refused('', Code.ROUTE_UNKNOWN, `route ${route} is not one of this session`)
  }
  try {
    if (channel !== '') checkChannel(channel)
  } catch (error) {
    return refusedBy('', error)
  }
  return inRoom('', membership, channel, envelope)
}

function inRoom(
  name: string,
  membership: Membership,
  channel: string,
  { acting }: ScannedEnvelope,
): Destination {
  const sender = senderIn(membership, acting, channel)
  if (!sender && acting !== '' && !isActor(membership.socket, acting)) return notThatOne(name)
  return { kind: 'room', name, membership, sender, channel }
}

/** Whoever may send to the room itself may send to its groups. */
function inGroup(
  name: string,
  membership: Membership,
  group: string,
  { acting }: ScannedEnvelope,
): Destination {
  const { place } = membership
  const found = place.groups.get(group)
  if (!found) {
    return refused(name, Code.TARGET_UNKNOWN, 'the room has no such group', place.line('groups'))
  }
  const sender = senderIn(membership, acting, '')
  if (!sender && acting !== '' && !isActor(membership.socket, acting)) return notThatOne(name)
  if (!sender || !maySend(sender, '')) {
    const decidedBy = sender ? `${grantOf(sender, place.name)} channels` : place.line('access')
    const detail = 'no right to send to the whole room'
    return refused(name, Code.SEND_NOT_PERMITTED, detail, decidedBy)
  }
  const key = `group:${place.name}/${group}`
  const { actor } = sender
  return { kind: 'group', name: name || key, key, actor, membership, sender, group: found }
}

function isActor({ actors }: Socket, acting: string): boolean {
  return actors.some(({ address }) => address === acting)
}

function notThatOne(name: string): Destination {
  const detail = 'the socket is not the one that it is said to act as'
  return refused(name, Code.UNAUTHENTICATED, detail)
}

function addressed(
  graph: Places,
  origin: Socket,
  name: string,
  envelope: ScannedEnvelope,
  actor: Actor | undefined,
  barred: Barred,
): Destination {
  if (!actor) return notThatOne(name)
  const refusal = barred.get(name)
  if (refusal) return refusedFor(name, refusal)
  try {
    const address = parseAddress(name)
    switch (address.kind) {
      case 'room': {
        const membership = membershipIn(graph, origin, address)
        if (!membership) return notInRoom(name)
        return inRoom(name, membership, address.channel ?? '', envelope)
      }
      case 'group': {
        const membership = membershipIn(graph, origin, address)
        if (!membership) return notInRoom(name)
        return inGroup(name, membership, address.group, envelope)
      }
      case 'socket':
        return { kind: 'socket', name, key: address.socket, actor }
      case 'lock': {
        const waiting = graph.waitingAt(address.lock)
        const rate = waiting?.socket === origin && waiting.rate
        return { kind: 'lock', name, key: address.lock, actor, ...(rate && { rate }) }
      }
      case 'token':
        return { kind: 'name', name, key: formatAddress(address), actor }
      case 'client': {
        const written = formatAddress(address)
        const [socket] = graph.socketsOf(written)
        return { kind: 'name', name, key: socket?.names.get(written) ?? written, actor }
      }
      case 'lobby':
        return origin.target?.kind === 'lobby' && origin.accounts.has(address.account)
          ? { kind: 'echo', name, key: origin.id, actor }
          : refused(name, Code.ENTRY_NOT_PERMITTED, 'the socket is not in this lobby')
    }
  } catch (error) {
    return refusedBy(name, error)
  }
}

function membershipIn(
  graph: Places,
  origin: Socket,
  { account, room }: { readonly account: string; readonly room: string },
): Membership | undefined {
  const place = graph.place(`${account}/${room}`)
  return place && origin.memberships.get(place.route)
}

function notInRoom(name: string): Destination {
  return refused(name, Code.ENTRY_NOT_PERMITTED, 'the socket is not in this room')
}

function refusedBy(name: string, error: unknown): Destination {
  if (error instanceof Refusal) return refusedFor(name, error)
  throw error
}
