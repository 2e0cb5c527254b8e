/** What clients and tokens may do, as it is given and as it is shown (R33). */
import { create } from '@bufbuild/protobuf'
import { type Grant as GivenGrant, GrantSchema } from '@porthouse/proto/admin/v1/grant'
import { checkFilter } from '../protocol/channel.ts'
import { Refusal } from '../protocol/codes.ts'
import { invalid } from '../protocol/violations.ts'
import type { Account, Grant, NewGrant, Rooms } from '../store/store.ts'
import { ROOM, unknownResource, within } from './names.ts'

/**
 * The grants of a resource of an account, once their rooms are found in it. `field`: path of their
 * list. Throws Violations, and Refusal RESOURCE_UNKNOWN where a room is not there.
 */
export async function grantsIn(
  rooms: Rooms,
  account: Pick<Account, 'id' | 'slug'>,
  given: readonly GivenGrant[],
  field: string,
): Promise<Grant[]> {
  const grants: Grant[] = []
  for (const [i, { room: name, send, receive, admit, channels }] of given.entries()) {
    const path = `${field}[${i}]`
    const room = within(account, ROOM, name, `${path}.room`)
    for (const [at, channel] of channels.entries()) {
      checkChannel(channel, `${path}.channels[${at}]`)
    }
    const known = grants.find((grant) => room === grant.room || room === grant.roomId)
    const head = known ? { id: known.roomId, slug: known.room } : await rooms.head(account.id, room)
    if (!head) throw unknownResource(name)
    grants.push({ roomId: head.id, room: head.slug, send, receive, admit, channels })
  }
  return grants
}

function checkChannel(channel: string, field: string): void {
  try {
    checkFilter(channel)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw invalid(field, error.detail)
  }
}

/** A grant as the store takes it. */
export function given({ roomId, room: _slug, ...rights }: Grant): NewGrant {
  return { room: roomId, ...rights }
}

export function shownGrants(account: { readonly slug: string }, grants: readonly Grant[]) {
  return grants.map(({ room, send, receive, admit, channels }) =>
    create(GrantSchema, {
      room: `accounts/${account.slug}/rooms/${room}`,
      ...{ send, receive, admit, channels: [...channels] },
    }),
  )
}
