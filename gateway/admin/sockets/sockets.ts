/** Live sockets (R8): listed, watched, moved and dropped. */
import { create } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { SocketSchema, type SocketService } from '@porthouse/proto/admin/v1/socket_service'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { invalid } from '../../protocol/violations.ts'
import type { Core } from '../../session/core.ts'
import { memberIn } from '../../session/entry/member-in.ts'
import { move } from '../../session/entry/move.ts'
import { expel } from '../../session/live/tell.ts'
import type { Session } from '../../session/session.ts'
import { callOf, type State } from '../calls/call.ts'
import { theLive } from '../live.ts'
import { socketName } from '../live-names.ts'
import { livePage } from '../live-page.ts'
import { ROOM, segments, unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { type Scope, scopeOf, scopeOfCaller } from '../scope.ts'
import { msOf } from '../spans.ts'
import { SocketQuery } from './filter.ts'
import { shownSocket } from './shown.ts'
import { watchSockets } from './watch.ts'

/** Bounds and default of what a watch asks for between two answers, in milliseconds. */
const INTERVAL = { least: 100, most: 3_600_000, absent: 500 }

export function socketService(parts: AdminParts): ServiceImpl<typeof SocketService> {
  return {
    async listSockets(request, context) {
      const live = theLive(parts)
      const scope = await scopeOf(parts, request.parent, context)
      const query = new SocketQuery(live, scope, request)
      const { entries: sockets, nextPageToken } = livePage(parts.pages, request, context, {
        all: those(query),
        name: socketName,
        read: (session) => shownSocket(session, scope),
        schema: SocketSchema,
      })
      return { sockets, nextPageToken }
    },

    async getSocket({ name }, context) {
      const { session, scope } = theSocket(theLive(parts).core, name, context)
      return shownSocket(session, scope)
    },

    async *watchSockets(request, context) {
      const live = theLive(parts)
      const { streams } = parts.config.admin
      const scope = await scopeOf(parts, request.parent, context)
      yield* watchSockets({
        live,
        scope,
        query: new SocketQuery(live, scope, request),
        intervalMs: msOf('interval', request.interval, INTERVAL),
        silenceMs: streams.silenceMs,
        waiting: streams.waiting,
        signal: callOf(context).signal,
      })
    },

    async moveSocket({ name, room, from, validateOnly }, context) {
      const { core } = theLive(parts)
      const { session, scope } = theSocket(core, name, context)
      checkOwned(session, scope)
      const call = callOf(context)
      const member = from === '' ? undefined : memberOf(session, 'from', from)
      const target = addressOf('room', room)
      const before = state(session, scope)
      if (validateOnly) {
        if (await isRoom(core, target)) return before.message
        throw unknownResource(room)
      }
      await moved(session, { target, from: member, by: 'moved by an administrator' }, room)
      const after = state(session, scope)
      call.changed = { resource: name, before, after }
      return after.message
    },

    async dropSocket({ name, reason, room, validateOnly }, context) {
      const { session, scope } = theSocket(theLive(parts).core, name, context)
      const member = room === '' ? undefined : memberOf(session, 'room', room)
      if (!member) checkOwned(session, scope)
      if (validateOnly) return create(EmptySchema)
      const detail = reason || 'dropped by an administrator'
      const before = state(session, scope)
      if (member) expel(session, member, Code.KICKED, detail)
      else session.drop(Code.KICKED, detail)
      callOf(context).changed = { resource: name, before }
      return create(EmptySchema)
    },
  }
}

function* those(query: SocketQuery): Iterable<Session> {
  for (const session of query.candidates()) if (query.has(session)) yield session
}

/** Throws Refusal RESOURCE_UNKNOWN for one of which nothing is within what the caller may know. */
export function theSocket(core: Core, name: string, context: HandlerContext) {
  const [id] = segments('sockets/*', name)
  const session = core.router.graph.socket(id!) as Session | undefined
  const scope = scopeOfCaller(context)
  if (!session || !scope.sees(session)) throw unknownResource(name)
  return { session, scope }
}

function checkOwned(session: Session, scope: Scope): void {
  if (scope.owns(session)) return
  const detail = 'it is a guest, somebody of another account: put it out of a room of yours'
  throw new Refusal(Code.STATE_UNSUITABLE, detail)
}

function addressOf(field: string, name: string) {
  const [account = '', room = ''] = segments(ROOM, name, field)
  return { kind: 'room', account, room } as const
}

function memberOf(session: Session, field: string, name: string) {
  const member = memberIn(session, addressOf(field, name))
  if (!member) throw invalid(field, 'the socket is not in that room')
  return member
}

async function isRoom({ rooms }: Core, { account, room: name }: ReturnType<typeof addressOf>) {
  const room = await rooms.open(account, name)
  if (room) rooms.release(room)
  return room !== undefined
}

/** Resolves when it is in, or stands at the room's lock. */
async function moved(session: Session, to: Parameters<typeof move>[1], room: string) {
  let refused: Refusal | undefined
  await move(session, to, (refusal) => {
    refused = refusal
  }).catch((error) => {
    const isUnknown = error instanceof Refusal && error.code === Code.ROOM_UNKNOWN
    throw isUnknown ? unknownResource(room) : error
  })
  if (refused) throw refused
}

function state(session: Session, scope: Scope): State<typeof SocketSchema> {
  return { schema: SocketSchema, message: shownSocket(session, scope) }
}
