/** Commands and their answers, as --trace shows them. */
import type { Command } from '@porthouse/proto/v1/command'
import { afterPart, pageParts, unknownAs } from './words.ts'

export function commandParts({ action }: Command): string[] {
  switch (action.case) {
    case 'listSockets':
    case 'listRooms':
    case 'listClients':
    case 'getStats':
      return [action.case, action.value.of, afterPart(action.value.after)]
    case 'listUnread':
      return [action.case, afterPart(action.value.after)]
    case 'watch':
      return [action.case, action.value.of, action.value.stop ? 'no longer' : '']
    case 'sockets':
      return [action.case, ...pageParts(action.value.sockets.length, action.value.more)]
    case 'rooms':
      return [action.case, ...pageParts(action.value.rooms.length, action.value.more)]
    case 'clients':
      return [action.case, ...pageParts(action.value.clients.length, action.value.more)]
    case 'unread':
      return [action.case, ...pageParts(action.value.rooms.length, action.value.more)]
    case 'stats':
      return [action.case, ...pageParts(action.value.occupancies.length, action.value.more)]
    case 'dropSocket':
      return [action.case, action.value.socket]
    case 'admit':
      return [action.case, action.value.lock, action.value.admitted ? 'yes' : 'no']
    case 'done':
      return [action.case]
    default:
      return unknownAs('command')
  }
}
