/** ListRooms: the rooms that a socket is in, or all of an account for its owner (R3). */
import { create, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type Allowance, AllowanceSchema, type ListRooms } from '@porthouse/proto/v1/command'
import { parseAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import { StoreError } from '../../store/store.ts'
import type { Session } from '../session.ts'
import { allowanceOf } from './allowance.ts'
import { type Page, pageOf } from './page.ts'
import { checkAfter, ownAccount, unknownTarget } from './permission.ts'

/** Throws Refusal; rejects with StoreError. */
export async function listRooms(
  asker: Session,
  { of, after }: ListRooms,
): Promise<Page<Allowance>> {
  checkAfter(after)
  const rooms =
    of === '' ? [...asker.memberships.values()].map(allowanceOf) : await allOf(asker, of)
  return pageOf(rooms, after, {
    address: ({ address }) => address,
    read: (room) => room,
    bytes: (room) => toBinary(AllowanceSchema, room).length,
  })
}

async function allOf(asker: Session, of: string): Promise<Allowance[]> {
  const address = parseAddress(of)
  if (address.kind !== 'lobby') throw new Refusal(Code.ADDRESS_INVALID, "not an account's lobby")
  const account = ownAccount(asker, address.account)
  const records = await asker.core.rooms.list(account.id).catch((error: unknown) => {
    if (error instanceof StoreError && error.failure === 'missing') throw unknownTarget()
    throw error
  })
  return records.map(({ slug }) => {
    const name = `${account.slug}/${slug}`
    const place = asker.core.router.graph.place(name)
    const member = place && asker.memberships.get(place.route)
    if (member) return allowanceOf(member)
    // Its owner may do everything there, and is not there.
    return create(AllowanceSchema, { address: `room:${name}`, maySend: true, mayAdmit: true })
  })
}
