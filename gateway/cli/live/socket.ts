/** `porthouse socket …`: who is connected, where, and what holds it up (R8, R12). */
import { toJson } from '@bufbuild/protobuf'
import type { CallOptions } from '@connectrpc/connect'
import {
  type ListSocketsRequest,
  type Socket,
  SocketSchema,
  SocketService,
  type Transport,
  TransportSchema,
  type WatchSocketsResponse,
  WatchSocketsResponseSchema,
} from '@porthouse/proto/admin/v1/socket_service'
import { print, printJson } from '../output.ts'
import {
  ALL,
  addressOf,
  clientResource,
  idIn,
  parentResource,
  roomResource,
  timeOf,
  tokenId,
} from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'
import { type Columns, follow, printDone, printItem, printItems } from './shown.ts'

interface ListOptions extends AdminOptions {
  readonly room?: string
  readonly client?: string
  readonly token?: string
  readonly locked?: boolean
  readonly watch?: boolean
}

interface MoveOptions extends AdminOptions {
  readonly from?: string
}

interface DropOptions extends AdminOptions {
  readonly reason?: string
}

const COLUMNS: Columns<Socket> = {
  socket: ({ name }) => idIn(name),
  by: ({ transport }) => transportOf(transport),
  who: ({ identities }) => identities.map(whoOf).join(' ') || '-',
  rooms: ({ rooms }) => rooms.map(({ room }) => addressOf(room)).join(' ') || '-',
  locks: ({ locks }) => locks.map(({ acceptor }) => acceptor).join(' ') || '-',
  waiting: ({ outbox }) => `${Number(outbox?.queuedBytes ?? 0n)} B`,
  since: ({ createTime }) => (createTime ? timeOf(createTime) : '-'),
}

const WHOLE: Columns<Socket> = {
  ...COLUMNS,
  remote: ({ remote }) => remote || '-',
  locks: ({ locks }) =>
    locks
      .map(({ depth, acceptor, place, triesLeft }) => {
        return `${depth}: ${acceptor}${place ? ` of ${place}` : ''}, ${triesLeft} tries left`
      })
      .join('; ') || '-',
}

export async function listSockets(
  account: string | undefined,
  { watch, json, ...options }: ListOptions,
): Promise<void> {
  const query = queryOf(account, options)
  if (watch) return watchSockets(query, { ...options, ...(json && { json }) })
  const sockets = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(SocketService).listSockets({ ...query, ...page }),
      (page) => page.sockets,
    ),
  )
  printItems(SocketSchema, sockets, COLUMNS, json)
}

export async function showSocket(typed: string, { json, ...options }: AdminOptions): Promise<void> {
  const name = socketResource(typed)
  const socket = await withAdmin(options, (admin) => admin(SocketService).getSocket({ name }))
  printItem(SocketSchema, socket, WHOLE, json)
}

export async function moveSocket(
  typed: string,
  to: string,
  { json, from, ...options }: MoveOptions,
): Promise<void> {
  const leaves = from === undefined ? '' : roomResource(from)
  const request = { name: socketResource(typed), room: roomResource(to), from: leaves }
  const socket = await withAdmin(options, (admin) => admin(SocketService).moveSocket(request))
  printItem(SocketSchema, socket, WHOLE, json)
}

export async function dropSocket(
  typed: string,
  { json, reason = '', ...options }: DropOptions,
): Promise<void> {
  const name = socketResource(typed)
  await withAdmin(options, (admin) => admin(SocketService).dropSocket({ name, reason }))
  printDone(json, { dropped: name }, `socket ${idIn(name)} is dropped`)
}

type Query = Partial<Pick<ListSocketsRequest, 'parent' | 'room' | 'client' | 'token' | 'locked'>>

function queryOf(account: string | undefined, options: ListOptions): Query {
  const { room, client, token, locked } = options
  const parent = parentResource(account ?? ALL)
  return {
    parent,
    ...(room !== undefined && { room: roomResource(room) }),
    ...(client !== undefined && { client: clientResource(client) }),
    ...(token !== undefined && { token: `${parent}/tokens/${tokenId(token)}` }),
    ...(locked && { locked }),
  }
}

/** With or without its kind. */
function socketResource(typed: string): string {
  return `sockets/${typed.replace(/^(socket:|sockets\/)/, '')}`
}

async function watchSockets(query: Query, { json, ...options }: AdminOptions): Promise<void> {
  await withAdmin(options, async (admin) => {
    const watch = (options: CallOptions) => admin(SocketService).watchSockets(query, options)
    await follow(watch, (told) => {
      if (json) printJson(toJson(WatchSocketsResponseSchema, told))
      else for (const line of linesOf(told)) print(line)
      return true
    })
  })
}

function linesOf({ event }: WatchSocketsResponse): string[] {
  const line = (sign: string) => (socket: Socket) =>
    [sign, ...Object.values(COLUMNS).map((cell) => cell(socket))].join('  ')
  switch (event.case) {
    case 'snapshot':
      return event.value.sockets.map(line('='))
    case 'changes': {
      const { opened, changed, closed } = event.value
      const gone = closed.map((name) => `-  ${idIn(name)}`)
      return [...opened.map(line('+')), ...changed.map(line('~')), ...gone]
    }
    case 'missed':
      return ['!  some changes were missed; all of them again:']
    default:
      return []
  }
}

function whoOf({ account, client, token, connection, owner }: Socket['identities'][number]) {
  if (owner) return `account ${idIn(account)}`
  if (client) return addressOf(client)
  return token ? `token ${idIn(token)}${connection ? `/${connection}` : ''}` : idIn(account)
}

function transportOf(transport: Transport): string {
  return TransportSchema.value[transport]?.localName.toLowerCase() ?? '-'
}
