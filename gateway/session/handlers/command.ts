/** Command from a client: what it asks of the gateway besides messages and rooms (R3, R8). */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type Command, CommandSchema } from '@porthouse/proto/v1/command'
import { parseAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import { answerList } from '../commands/answer.ts'
import { listClients } from '../commands/clients.ts'
import { listRooms } from '../commands/rooms.ts'
import { dropSocket, listSockets } from '../commands/sockets.ts'
import { getStats } from '../commands/stats.ts'
import { listUnread } from '../commands/unread.ts'
import { watch } from '../commands/watch.ts'
import type { Session } from '../session.ts'
import { decode } from './decode.ts'

type Action = NonNullable<Exclude<MessageInitShape<typeof CommandSchema>, Command>['action']>

/** Throws Refusal. */
export function handleCommand(session: Session, frame: ScannedFrame): void {
  const { id } = frame
  const { action } = decode(CommandSchema, frame)
  switch (action.case) {
    case undefined:
      if (id !== 0) session.refuse(id, Code.UNIMPLEMENTED, 'no action known here')
      return
    case 'sockets':
    case 'rooms':
    case 'clients':
    case 'unread':
    case 'stats':
    case 'done':
      throw new Refusal(Code.FRAME_NOT_ALLOWED, 'an action that only a gateway sends')
  }
  // Nothing is looked up for whoever is nobody yet (R14).
  if (!session.unlocked) throw new Refusal(Code.UNAUTHENTICATED, 'nothing is unlocked yet')
  switch (action.case) {
    case 'listSockets':
      return list(session, id, async () => {
        const { entries: sockets, more } = await listSockets(session, action.value)
        return { case: 'sockets', value: { sockets, more } }
      })
    case 'listRooms':
      return list(session, id, async () => {
        const { entries: rooms, more } = await listRooms(session, action.value)
        return { case: 'rooms', value: { rooms, more } }
      })
    case 'listClients':
      return list(session, id, async () => {
        const { entries: clients, more } = await listClients(session, action.value)
        return { case: 'clients', value: { clients, more } }
      })
    case 'listUnread':
      return list(session, id, async () => {
        const { entries: rooms, more } = await listUnread(session, action.value)
        return { case: 'unread', value: { rooms, more } }
      })
    case 'getStats':
      return list(session, id, async () => {
        const { entries: occupancies, more } = await getStats(session, action.value)
        return { case: 'stats', value: { occupancies, more } }
      })
    case 'dropSocket': {
      const dropped = dropSocket(session, action.value)
      done(session, id)
      return dropped.drop(Code.KICKED, 'dropped by its own client, or by its account')
    }
    case 'admit':
      session.core.knocks.decide(session, lockOf(action.value.lock), action.value.admitted)
      return done(session, id)
    case 'watch':
      watch(session, action.value)
      return done(session, id)
  }
}

/** Answers when the list is there. */
function list(session: Session, id: number, read: () => Promise<Action>): void {
  answerList(session, id, async () => ({ case: 'command', value: { action: await read() } }))
}

function answer(session: Session, id: number, action: Action): void {
  session.send(id, { case: 'command', value: { action } })
}

function done(session: Session, id: number): void {
  answer(session, id, { case: 'done', value: {} })
}

function lockOf(text: string): string {
  const address = parseAddress(text)
  if (address.kind !== 'lock') throw new Refusal(Code.ADDRESS_INVALID, 'not a lock')
  return address.lock
}
