/** `porthouse graph …`: who is where, walked from any end (R28). */

import type { Client } from '@connectrpc/connect'
import {
  type ClientEdge,
  ClientEdgeSchema,
  GraphService,
  type GroupEdge,
  GroupEdgeSchema,
  type RoomEdge,
  RoomEdgeSchema,
  type SocketEdge,
  SocketEdgeSchema,
} from '@porthouse/proto/admin/v1/graph_service'
import { usage } from '../failure.ts'
import { nameOf } from '../names.ts'
import { addressOf, clientResource, idIn, roomResource } from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'
import { type Columns, printItems } from './shown.ts'

const SOCKETS: Columns<SocketEdge> = {
  socket: ({ socket }) => idIn(socket),
  as: ({ member }) => member,
}
const CLIENTS: Columns<ClientEdge> = {
  address: ({ address }) => address,
  sockets: ({ sockets }) => `${sockets}`,
}
const ROOMS: Columns<RoomEdge> = {
  room: ({ room }) => addressOf(room),
  sends: ({ maySend }) => yes(maySend),
  listens: ({ listening }) => yes(listening),
  admits: ({ mayAdmit }) => yes(mayAdmit),
  groups: ({ groups }) => groups.join(' ') || '-',
  sockets: ({ sockets }) => `${sockets}`,
}
const GROUPS: Columns<GroupEdge> = {
  group: ({ group }) => idIn(group),
  'in turn': ({ inTurn }) => yes(inTurn),
  sockets: ({ sockets }) => `${sockets}`,
}

/** A page of edges that lead on from somewhere. */
type Ask<Page> = (
  graph: Graph,
  query: { parent: string; pageSize: number; pageToken: string },
) => Promise<Page>

interface Pages {
  readonly nextPageToken: string
}

type Graph = Client<typeof GraphService>

const SOCKETS_OF: Readonly<Partial<Record<Kind, Ask<Pages & { sockets: SocketEdge[] }>>>> = {
  room: (graph, query) => graph.listRoomSockets(query),
  client: (graph, query) => graph.listClientSockets(query),
  token: (graph, query) => graph.listTokenSockets(query),
}
const ROOMS_OF: Readonly<Partial<Record<Kind, Ask<Pages & { rooms: RoomEdge[] }>>>> = {
  client: (graph, query) => graph.listClientRooms(query),
  socket: (graph, query) => graph.listSocketRooms(query),
}
const CLIENTS_OF: Readonly<Partial<Record<Kind, Ask<Pages & { clients: ClientEdge[] }>>>> = {
  room: (graph, query) => graph.listRoomClients(query),
  socket: (graph, query) => graph.listSocketClients(query),
}

export async function graphSockets(from: string, options: AdminOptions): Promise<void> {
  const edges = await edgesFrom(from, SOCKETS_OF, options, ({ sockets }) => sockets)
  printItems(SocketEdgeSchema, edges, SOCKETS, options.json)
}

export async function graphRooms(from: string, options: AdminOptions): Promise<void> {
  const edges = await edgesFrom(from, ROOMS_OF, options, ({ rooms }) => rooms)
  printItems(RoomEdgeSchema, edges, ROOMS, options.json)
}

export async function graphClients(from: string, options: AdminOptions): Promise<void> {
  const edges = await edgesFrom(from, CLIENTS_OF, options, ({ clients }) => clients)
  printItems(ClientEdgeSchema, edges, CLIENTS, options.json)
}

/** Rejects with a Failure of usage where no edge of that kind leads on from there. */
async function edgesFrom<Page extends Pages, Edge>(
  typed: string,
  asks: Readonly<Partial<Record<Kind, Ask<Page>>>>,
  options: AdminOptions,
  edgesOf: (page: Page) => readonly Edge[],
): Promise<Edge[]> {
  const { kind, name: parent } = endOf(typed)
  const ask = asks[kind]
  if (!ask) throw usage(`${typed} is of kind ${kind}; here it is ${Object.keys(asks).join(' or ')}`)
  return withAdmin(options, (admin) => {
    const graph = admin(GraphService)
    return everyOf((page) => ask(graph, { parent, ...page }), edgesOf)
  })
}

export async function graphGroups(room: string, options: AdminOptions): Promise<void> {
  const parent = roomResource(room)
  const edges = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(GraphService).listRoomGroups({ parent, ...page }),
      (page) => page.groups,
    ),
  )
  printItems(GroupEdgeSchema, edges, GROUPS, options.json)
}

export async function graphMembers(
  room: string,
  group: string,
  options: AdminOptions,
): Promise<void> {
  const parent = `${roomResource(room)}/groups/${nameOf(group, 'group')}`
  const edges = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(GraphService).listGroupMembers({ parent, ...page }),
      (page) => page.members,
    ),
  )
  printItems(ClientEdgeSchema, edges, CLIENTS, options.json)
}

type Kind = 'room' | 'client' | 'token' | 'socket'

interface End {
  readonly kind: Kind
  readonly name: string
}

/** An address, of which a room may be without its kind. Throws a Failure of usage. */
function endOf(typed: string): End {
  const [kind, rest = ''] = typed.includes(':') ? typed.split(/:(.*)/s) : ['room', typed]
  switch (kind) {
    case 'room':
      return { kind, name: roomResource(rest) }
    case 'client':
      return { kind, name: clientResource(rest) }
    case 'token': {
      const [account = '', id = ''] = rest.split('/')
      return { kind, name: `accounts/${nameOf(account, 'account')}/tokens/${id}` }
    }
    case 'socket':
      return { kind, name: `sockets/${rest}` }
    default:
      throw usage(
        `${typed} is no end of the graph: write ACCOUNT/ROOM, client:ACCOUNT/CLIENT, ` +
          'token:ACCOUNT/ID or socket:ID',
      )
  }
}

function yes(is: boolean): string {
  return is ? 'yes' : '-'
}
