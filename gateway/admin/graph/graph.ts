/** The graph socket, client, room, group, walked from any end (R28). */
import type { ServiceImpl } from '@connectrpc/connect'
import type { GraphService } from '@porthouse/proto/admin/v1/graph_service'
import type { Room } from '../../rooms/rooms.ts'
import type { Membership } from '../../router/membership.ts'
import { knownAs } from '../../session/identity/known-as.ts'
import type { Session } from '../../session/session.ts'
import { inOpenRoom, isSeen, membersNames, socketsByName } from '../../session/walk.ts'
import { theLive } from '../live.ts'
import { CLIENT, ROOM, segments, TOKEN, unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { theSocket } from '../sockets/sockets.ts'
import { edgePages } from './edge-pages.ts'

export function graphService(parts: AdminParts): ServiceImpl<typeof GraphService> {
  const pages = edgePages(parts.pages)
  return {
    async listClientSockets(request, context) {
      return pages.sockets(request, context, await socketsOfClient(parts, request.parent))
    },

    async listClientRooms(request, context) {
      return pages.rooms(request, context, await socketsOfClient(parts, request.parent))
    },

    async listTokenSockets(request, context) {
      return pages.sockets(request, context, await socketsOfToken(parts, request.parent))
    },

    async listSocketClients(request, context) {
      const { session, scope } = theSocket(theLive(parts).core, request.parent, context)
      const accounts = session.proofs.flatMap(({ account }) => account?.id ?? [])
      const names = accounts.filter(scope.covers).flatMap((account) => knownAs(session, account))
      const page = pages.clients(request, context, socketsByName([names]))
      return { clients: page.entries, nextPageToken: page.nextPageToken }
    },

    async listSocketRooms(request, context) {
      const { session } = theSocket(theLive(parts).core, request.parent, context)
      return pages.rooms(request, context, [session])
    },

    listRoomSockets(request, context) {
      return inRoom(parts, request.parent, ({ place }) =>
        pages.members(request, context, [...place.members].filter(isSeen)),
      )
    },

    listRoomClients(request, context) {
      return inRoom(parts, request.parent, ({ place, record }) => {
        const names = namesOf(place.members, record.account.id)
        const page = pages.clients(request, context, names)
        return { clients: page.entries, nextPageToken: page.nextPageToken }
      })
    },

    listRoomGroups(request, context) {
      return inRoom(parts, request.parent, ({ place }) => pages.groups(request, context, place))
    },

    listGroupMembers(request, context) {
      const [account, room, name] = segments('accounts/*/rooms/*/groups/*', request.parent)
      return inRoom(parts, `accounts/${account}/rooms/${room}`, ({ place, record }) => {
        const group = place.groups.get(name!)
        if (!group) throw unknownResource(request.parent)
        const names = namesOf(group.members, record.account.id)
        const page = pages.clients(request, context, names)
        return { members: page.entries, nextPageToken: page.nextPageToken }
      })
    },
  }
}

function namesOf(members: Iterable<Membership>, account: string): Map<string, number> {
  const seen = [...members].filter(isSeen)
  return socketsByName(seen.map((member) => membersNames(member, account)))
}

/** Rejects with Refusal RESOURCE_UNKNOWN where there is no such client, connected or not. */
async function socketsOfClient(parts: AdminParts, name: string): Promise<Iterable<Session>> {
  const [account = '', client = ''] = segments(CLIENT, name, 'parent')
  const { graph } = theLive(parts).core.router
  const sockets = graph.socketsOf(`client:${account}/${client}`) as ReadonlySet<Session>
  const isKnown = sockets.size > 0 || (await parts.store.clients.find(account, client))
  if (!isKnown) throw unknownResource(name)
  return sockets
}

async function socketsOfToken(parts: AdminParts, name: string): Promise<Iterable<Session>> {
  const [account = '', id = ''] = segments(TOKEN, name, 'parent')
  const token = await parts.store.tokens.find(id)
  const isOf = token && (token.account.id === account || token.account.slug === account)
  if (!isOf) throw unknownResource(name)
  return theLive(parts).core.shares.connectionsOf(id)
}

async function inRoom<T>(parts: AdminParts, name: string, answer: (room: Room) => T): Promise<T> {
  const [account = '', room = ''] = segments(ROOM, name, 'parent')
  const found = await inOpenRoom(theLive(parts).core, { account, room }, (each) => {
    return { answer: answer(each) }
  })
  if (!found) throw unknownResource(name)
  return found.answer
}
