/** Edges of the graph as messages. */
import { create } from '@bufbuild/protobuf'
import {
  ClientEdgeSchema,
  GroupEdgeSchema,
  RoomEdgeSchema,
  SocketEdgeSchema,
} from '@porthouse/proto/admin/v1/graph_service'
import type { Group } from '../../router/groups.ts'
import type { Membership } from '../../router/membership.ts'
import { allowanceOf, anyOf } from '../../session/commands/allowance.ts'
import { memberName } from '../../session/identity/known-as.ts'
import type { Session } from '../../session/session.ts'
import { clientName, roomName, socketName } from '../live-names.ts'

export function socketEdge(socket: Session) {
  return create(SocketEdgeSchema, { socket: socketName(socket) })
}

export function memberEdge(member: Membership) {
  const [socket, name] = [socketName(member.socket), memberName(member)]
  return create(SocketEdgeSchema, { socket, member: name })
}

/** `address`: by which so many sockets are known. */
export function clientEdge([address, sockets]: readonly [string, number]) {
  return create(ClientEdgeSchema, { address, client: clientName(address), sockets })
}

/** Of several sockets in one room; there is one at least. */
export function roomEdge(members: readonly Membership[]) {
  const { address: _, $typeName: __, ...allowed } = anyOf(members.map(allowanceOf))
  const groups = members.flatMap((member) => member.place.groups.namesOf(member))
  return create(RoomEdgeSchema, {
    ...allowed,
    room: roomName(members[0]?.place.name ?? ''),
    groups: [...new Set(groups)].sort(),
    sockets: members.length,
  })
}

/** `room`: its name. */
export function groupEdge(room: string, { terms: { name, open, delivery }, size }: Group) {
  const group = `${room}/groups/${name}`
  return create(GroupEdgeSchema, { group, open, inTurn: delivery === 'one', sockets: size })
}
