/** Pages of edges of the graph, each kind in the order of what it leads to. */
import type { HandlerContext } from '@connectrpc/connect'
import {
  ClientEdgeSchema,
  GroupEdgeSchema,
  RoomEdgeSchema,
  SocketEdgeSchema,
} from '@porthouse/proto/admin/v1/graph_service'
import { accountIn } from '../../protocol/address.ts'
import type { Membership } from '../../router/membership.ts'
import type { Place } from '../../router/place.ts'
import type { Session } from '../../session/session.ts'
import { membershipsOf } from '../../session/walk.ts'
import { roomName, socketName } from '../live-names.ts'
import { livePage } from '../live-page.ts'
import type { PageRequest, Pages } from '../pages.ts'
import { scopeOfCaller } from '../scope.ts'
import { clientEdge, groupEdge, memberEdge, roomEdge, socketEdge } from './edges.ts'

export function edgePages(pages: Pages) {
  return {
    sockets(request: PageRequest, context: HandlerContext, all: Iterable<Session>) {
      const listing = { all, name: socketName, read: socketEdge, schema: SocketEdgeSchema }
      const { entries: sockets, nextPageToken } = livePage(pages, request, context, listing)
      return { sockets, nextPageToken }
    },

    members(request: PageRequest, context: HandlerContext, all: Iterable<Membership>) {
      const name = ({ socket }: Membership) => socketName(socket)
      const listing = { all, name, read: memberEdge, schema: SocketEdgeSchema }
      const { entries: sockets, nextPageToken } = livePage(pages, request, context, listing)
      return { sockets, nextPageToken }
    },

    /** `all`: how many sockets each address has. */
    clients(request: PageRequest, context: HandlerContext, all: ReadonlyMap<string, number>) {
      const name = ([address]: readonly [string, number]) => address
      const listing = { all, name, read: clientEdge, schema: ClientEdgeSchema }
      return livePage(pages, request, context, listing)
    },

    /** Rooms of these sockets, of accounts that the caller may know of. */
    rooms(request: PageRequest, context: HandlerContext, sockets: Iterable<Session>) {
      const { covers } = scopeOfCaller(context)
      const members = membershipsOf(sockets, ({ place }) => covers(accountIn(place.address)))
      const name = ([first]: readonly Membership[]) => first?.place.name ?? ''
      const listing = { all: members.values(), name, read: roomEdge, schema: RoomEdgeSchema }
      const { entries: rooms, nextPageToken } = livePage(pages, request, context, listing)
      return { rooms, nextPageToken }
    },

    groups(request: PageRequest, context: HandlerContext, place: Place) {
      const { entries: groups, nextPageToken } = livePage(pages, request, context, {
        all: place.groups,
        name: ({ terms }) => terms.name,
        read: (group) => groupEdge(roomName(place.name), group),
        schema: GroupEdgeSchema,
      })
      return { groups, nextPageToken }
    },
  }
}
