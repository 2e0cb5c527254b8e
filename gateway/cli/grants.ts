/** What a client or token may do, as people type it and as it is shown (R33). */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Grant, GrantSchema } from '@porthouse/proto/admin/v1/grant'
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import { checkFilter } from '../protocol/channel.ts'
import { isUuid } from '../protocol/name.ts'
import { missing, usage } from './failure.ts'
import { nameOf, refused } from './names.ts'
import { idIn } from './resource.ts'
import type { Admin } from './with-admin.ts'

const RIGHTS = ['send', 'receive', 'admit'] as const
type Right = (typeof RIGHTS)[number]

export type NewGrant = MessageInitShape<typeof GrantSchema>

/**
 * Each is ROOM:RIGHTS, then `:` and channels or filters of channels, joined by commas, where the
 * rights are not for all of them. Throws a Failure of usage.
 */
export function parseGrants(account: string, typed: readonly string[]): NewGrant[] {
  return typed.map((each) => parseGrant(account, each))
}

function parseGrant(owner: string, typed: string): NewGrant {
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
  const account = match[1] ? nameOf(match[1], 'account') : owner
  return {
    room: `accounts/${account}/rooms/${nameOf(match[2]!, 'room')}`,
    send: rights.includes('send'),
    receive: rights.includes('receive'),
    admit: rights.includes('admit'),
    channels,
  }
}

function isRight(text: string): text is Right {
  return (RIGHTS as readonly string[]).includes(text)
}

/** A room, by slug or UUID, and whose rights in it they are. */
interface Taken {
  readonly account: string
  readonly room: string
  readonly of: string
}

/** All of these but those for a room. Rejects with a Failure where none is. */
export async function grantsWithout(
  admin: Admin,
  grants: readonly Grant[],
  { account, room: typed, of }: Taken,
): Promise<Grant[]> {
  const room = nameOf(typed, 'room')
  const name = `accounts/${account}/rooms/${room}`
  const slug = isUuid(room) ? idIn((await admin(RoomService).getRoom({ name })).name) : room
  const left = grants.filter((grant) => idIn(grant.room) !== slug)
  if (left.length < grants.length) return left
  throw missing(`right of ${of} in room ${typed}`, `it has: ${grantsText(grants)}`)
}

/** As they may be typed; `-` for none. */
export function grantsText(grants: readonly Grant[]): string {
  return grants.length > 0 ? grants.map(grantText).join(' ') : '-'
}

function grantText({ room, channels, ...may }: Grant): string {
  const rights = `${idIn(room)}:${RIGHTS.filter((right) => may[right]).join(',')}`
  return channels.length > 0 ? `${rights}:${channels.join(',')}` : rights
}

export function grantForScripts({ room, send, receive, admit, channels }: Grant) {
  const more = { ...(admit && { admit }), ...(channels.length > 0 && { channels }) }
  return { room: idIn(room), send, receive, ...more }
}
