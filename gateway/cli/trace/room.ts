/** What goes on between a socket and a room, as --trace shows it. */
import type {
  Backlog,
  Fetch,
  Fetched,
  Join,
  Joined,
  Position,
  Presence,
  Room,
} from '@porthouse/proto/v1/room'
import { afterPart, nameOf, positionPart, routePart, unknownAs } from './words.ts'

export function roomParts({ action }: Room): string[] {
  switch (action.case) {
    case 'join':
      return ['join', ...joinParts(action.value)]
    case 'joined':
      return ['joined', ...joinedParts(action.value)]
    case 'leave':
      return ['leave', action.value.address]
    case 'left':
      return ['left', action.value.address, nameOf(action.value.code)]
    case 'lost': {
      const { route, count, code } = action.value
      return ['lost', routePart(route), `${count} messages`, nameOf(code)]
    }
    case 'caughtUp': {
      const { address, sequence } = action.value
      return ['caughtUp', address, positionPart(sequence)]
    }
    case 'fetch':
      return ['fetch', ...fetchParts(action.value)]
    case 'fetched':
      return ['fetched', ...fetchedParts(action.value)]
    case 'cursor': {
      const { address, position } = action.value
      return ['cursor', address, placeOf(position)]
    }
    case 'listMembers':
      return ['listMembers', action.value.of, afterPart(action.value.after)]
    case 'members': {
      const { members, more, count } = action.value
      return ['members', `${members.length} of ${count}`, more ? 'and more' : '']
    }
    case 'presence':
      return ['presence', ...presenceParts(action.value)]
    case 'changed': {
      const { address, revision, blocks } = action.value
      return ['changed', address, `revision ${revision}`, ...blocks]
    }
    default:
      return unknownAs('room action')
  }
}

function joinParts({ address, sendOnly, backlog, replayed, presence }: Join): string[] {
  const wishes = [replayed ? 'replayed' : '', presence ? 'presence' : '']
  return [address, sendOnly ? 'to send' : '', wantedPart(backlog), ...wishes]
}

function wantedPart(backlog: Join['backlog']): string {
  switch (backlog.case) {
    case 'after':
      return `after ${placeOf(backlog.value)}`
    case 'unread':
      return 'unread'
    case 'last':
      return `last ${backlog.value}`
    default:
      return ''
  }
}

function joinedParts({ address, route, maySend, listening, sequence, backlog }: Joined): string[] {
  const rights = [maySend ? 'may send' : '', listening ? 'listening' : '']
  return [address, `route ${route}`, ...rights, positionPart(sequence), backlogPart(backlog)]
}

function backlogPart(backlog: Backlog | undefined): string {
  if (!backlog) return ''
  const { recovered, afterSequence, code } = backlog
  return `backlog after ${afterSequence} ${recovered ? 'recovered' : nameOf(code)}`
}

function fetchParts({ address, range, limit }: Fetch): string[] {
  return [address, rangePart(range), limit === 0 ? '' : `at most ${limit}`]
}

function rangePart(range: Fetch['range']): string {
  switch (range.case) {
    case 'after':
    case 'before':
    case 'around':
      return `${range.case} ${placeOf(range.value)}`
    case 'between':
      return `between ${range.value.fromSequence} and ${range.value.toSequence}`
    default:
      return ''
  }
}

function fetchedParts(fetched: Fetched): string[] {
  const { address, count, firstSequence, lastSequence, moreBefore, moreAfter } = fetched
  const more = [moreBefore ? 'more before' : '', moreAfter ? 'more after' : '']
  return [address, `${count} of ${firstSequence} to ${lastSequence}`, ...more]
}

function presenceParts({ route, joined, left, count }: Presence): string[] {
  return [routePart(route), `${joined.length} joined`, `${left.length} left`, `${count} there`]
}

function placeOf(position: Position | undefined): string {
  return `position ${position?.sequence ?? 0n}`
}
