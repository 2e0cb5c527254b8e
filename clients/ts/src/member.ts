import type { Presence as PresenceFrame, Member as WireMember } from '@porthouse/proto/v1/room'
import { pages } from './pages.ts'
import { asFrame, type Question } from './queue.ts'

/** Somebody in a room. */
export interface Member {
  /** `client:…`, `token:…/n`, or `socket:…` for somebody without a name. */
  readonly address: string
  /** Sockets that he has there. */
  readonly sockets: number
}

/** Who came and went; in a room of many members, their number alone. */
export interface Presence {
  readonly joined: readonly Member[]
  /** Addresses of those whose last socket has left. */
  readonly left: readonly string[]
  /** Members there are now. */
  readonly count: number
}

/** Who is in a room, ordered by address, a page at a time as the loop needs it. */
export function members(
  of: string,
  ask: <T>(question: Question<T>) => Promise<T>,
): AsyncGenerator<Member, void> {
  return pages(
    async (after) => {
      const action = { case: 'listMembers' as const, value: { of, after } }
      const page = await ask({
        bytes: 1024,
        repeatable: true,
        encode: asFrame({ case: 'room', value: { action } }),
        read(answer) {
          if (answer.case !== 'room' || answer.value.action.case !== 'members') return undefined
          return answer.value.action.value
        },
      })
      return { items: page.members.map(readMember), more: page.more }
    },
    ({ address }) => address,
  )
}

export function readPresence({ joined, left, count }: PresenceFrame): Presence {
  return { joined: joined.map(readMember), left: [...left], count }
}

function readMember({ address, sockets }: WireMember): Member {
  return { address, sockets }
}
