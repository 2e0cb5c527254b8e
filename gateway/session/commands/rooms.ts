/** ListRooms: the rooms that a socket or a client is in, or all of an account (R3, R28). */
import { create, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type Allowance, AllowanceSchema, type ListRooms } from '@porthouse/proto/v1/command'
import { accountIn, formatAddress, parseAddress } from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Membership } from '../../router/membership.ts'
import { StoreError } from '../../store/store.ts'
import type { Session } from '../session.ts'
import { membershipsOf } from '../walk.ts'
import { allowanceOf, anyOf } from './allowance.ts'
import { type Page, pageOf } from './page.ts'
import { checkAfter, ownAccount, unknownTarget } from './permission.ts'

/** A room, and what is to be said of it; most are only looked at. */
interface Listed {
  readonly address: string
  readonly allowance: () => Allowance
}

/** Throws Refusal; rejects with StoreError. */
export async function listRooms(
  asker: Session,
  { of, after }: ListRooms,
): Promise<Page<Allowance>> {
  checkAfter(after)
  return pageOf(await roomsOf(asker, of), after, {
    address: ({ address }) => address,
    read: ({ allowance }) => allowance(),
    bytes: (room) => toBinary(AllowanceSchema, room).length,
  })
}

async function roomsOf(asker: Session, of: string): Promise<Listed[]> {
  if (of === '') return [...asker.memberships.values()].map(listed)
  const address = parseAddress(of)
  if (address.kind === 'lobby') return allOf(asker, address.account)
  if (address.kind !== 'client') {
    throw new Refusal(Code.ADDRESS_INVALID, "neither a client nor an account's lobby")
  }
  const name = formatAddress(address)
  if (!asker.names.has(name)) ownAccount(asker, address.account)
  return roomsOfClient(asker, asker.core.router.graph.socketsOf(name) as ReadonlySet<Session>)
}

function listed(member: Membership): Listed {
  return { address: member.place.address, allowance: () => allowanceOf(member) }
}

/** Each of them once; of other sockets only those in accounts that the asker is of (A15). */
function roomsOfClient(asker: Session, sockets: Iterable<Session>): Listed[] {
  const members = membershipsOf(
    sockets,
    ({ socket, place }) => socket === asker || asker.accounts.has(accountIn(place.address)),
  )
  return [...members.values()].map((those) => ({
    address: those[0]?.place.address as string,
    allowance: () => anyOf(those.map(allowanceOf)),
  }))
}

async function allOf(asker: Session, name: string): Promise<Listed[]> {
  const account = ownAccount(asker, name)
  const records = await asker.core.rooms.list(account.id).catch((error: unknown) => {
    if (error instanceof StoreError && error.failure === 'missing') throw unknownTarget()
    throw error
  })
  return records.map(({ slug }) => {
    const place = asker.core.router.graph.place(`${account.slug}/${slug}`)
    const member = place && asker.memberships.get(place.route)
    if (member) return listed(member)
    const address = `room:${account.slug}/${slug}`
    // Its owner may do everything there, and is not there.
    const allowed = { address, maySend: true, mayAdmit: true }
    return { address, allowance: () => create(AllowanceSchema, allowed) }
  })
}
