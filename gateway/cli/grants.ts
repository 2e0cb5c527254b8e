/** What a client or token may do, as people type it and as it is shown (R33). */
import { checkFilter } from '../protocol/channel.ts'
import type { Grant, NewGrant, Store } from '../store/store.ts'
import { usage } from './failure.ts'
import { nameOf, refused } from './names.ts'
import { missing } from './with-store.ts'

const RIGHTS = ['send', 'receive', 'admit'] as const
type Right = (typeof RIGHTS)[number]

/** As typed; whether the room is there, and in the right account, is for `grantsIn`. */
export interface TypedGrant {
  readonly typed: string
  /** Where it was put before the room. */
  readonly account?: string
  readonly grant: NewGrant
}

interface Named {
  readonly id: string
  readonly slug: string
}

/**
 * ROOM:RIGHTS, then `:` and channels or filters of channels, joined by commas, where the rights are
 * not for all of them. Throws a Failure of usage.
 */
export function parseGrant(typed: string): TypedGrant {
  const match = /^(?:room:)?(?:([^/:]+)\/)?([^/:]+):([a-z,]+)(?::(.*))?$/s.exec(typed)
  const rights = match?.[3]?.split(',') ?? []
  if (!match || !rights.every(isRight)) {
    throw usage(
      `--room ${typed} is not of the form ROOM:send,receive or ROOM:send,receive:CHANNEL,… ` +
        `(rights: ${RIGHTS.join(', ')})`,
    )
  }
  const channels = match[4]?.split(',') ?? []
  for (const channel of channels) refused(typed, () => checkFilter(channel))
  const account = match[1] && nameOf(match[1], 'account')
  const grant = {
    room: nameOf(match[2]!, 'room'),
    send: rights.includes('send'),
    receive: rights.includes('receive'),
    admit: rights.includes('admit'),
    channels,
  }
  return { typed, ...(account && { account }), grant }
}

function isRight(text: string): text is Right {
  return (RIGHTS as readonly string[]).includes(text)
}

/** The grants, once their rooms are found. Throws a Failure that says which is not there. */
export async function grantsIn(
  store: Store,
  owner: Named,
  grants: readonly TypedGrant[],
): Promise<NewGrant[]> {
  for (const { typed, account, grant } of grants) {
    if (account !== undefined && account !== owner.slug && account !== owner.id) {
      throw usage(
        `--room ${typed} is a room of ${account}; rights are for rooms of ${owner.slug} alone`,
      )
    }
    if (!(await store.rooms.head(owner.id, grant.room))) {
      const room = `${owner.slug}/${grant.room}`
      throw missing(`room ${room}`, `make it with: porthouse room create ${room}`)
    }
  }
  return grants.map(({ grant }) => grant)
}

/** All of these but those for a room, given by slug or UUID. Throws a Failure where none is. */
export function grantsWithout(grants: readonly Grant[], room: string, of: string): NewGrant[] {
  const left = grants.filter((grant) => grant.room !== room && grant.roomId !== room)
  if (left.length === grants.length) {
    throw missing(`right of ${of} in room ${room}`, `it has: ${grantsText(grants)}`)
  }
  return left.map(again)
}

/** A stored grant, to be given once more. */
export function again({ roomId, room: _slug, ...rights }: Grant): NewGrant {
  return { room: roomId, ...rights }
}

/** As they may be typed; `-` for none. */
export function grantsText(grants: readonly Grant[]): string {
  return grants.length > 0 ? grants.map(grantText).join(' ') : '-'
}

function grantText({ room, channels, ...may }: Grant): string {
  const rights = `${room}:${RIGHTS.filter((right) => may[right]).join(',')}`
  return channels.length > 0 ? `${rights}:${channels.join(',')}` : rights
}

export function grantForScripts({ room, send, receive, admit, channels }: Grant) {
  const more = { ...(admit && { admit }), ...(channels.length > 0 && { channels }) }
  return { room, send, receive, ...more }
}
