/**
 * What would become of a socket that wants to enter a place (R18), told by the very functions that
 * let sockets in, on a core of its own where nobody else is. No acceptor is asked anything.
 */

import { asked, explainFlow, type Knowledge, refusedAt, type Step } from '../../locks/explain.ts'
import type { Flow, LockSpec } from '../../locks/flow.ts'
import type { Proof } from '../../locks/proof.ts'
import { formatAddress, type LobbyAddress, type RoomAddress } from '../../protocol/address.ts'
import { codeInfo, Refusal } from '../../protocol/codes.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Rights } from '../../store/store.ts'
import type { Core } from '../core.ts'
import { adopt } from '../identity/identity.ts'
import { lockContext } from '../locks/lock-context.ts'
import { leftOf } from '../locks/locks.ts'
import type { Session } from '../session.ts'
import { socketlessSession } from '../socketless.ts'
import { enter } from './entry.ts'
import { type RoomRights, rightsIn } from './membership.ts'

export interface DryRun {
  /** What guards the place; undefined: nothing, it is open. */
  readonly flow: Flow | undefined
  /** The same as steps. */
  readonly steps: Step | undefined
  /** Locks of which one would challenge now, the preferred first; none: the way is free. */
  readonly next: readonly LockSpec[]
  /** What the proofs let it do in the room, once it is in; absent for a lobby. */
  readonly rights?: RoomRights
  /** What a proof lets a socket do there that brings no rights by itself. */
  readonly visitors?: Rights
  readonly end: DryRunEnd
}

export type DryRunEnd =
  | { readonly kind: 'locked' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The channels that it would hear, by filter; `` is the room with all of its channels. */
  | { readonly kind: 'entered'; readonly hears: readonly string[] }

/**
 * Resolves with undefined where there is no such room. Rejects with StoreError, and with an Error
 * where the room's config is not for these acceptors.
 */
export async function dryRun(
  core: Core,
  target: RoomAddress | LobbyAddress,
  proofs: readonly Proof[],
): Promise<DryRun | undefined> {
  const room =
    target.kind === 'room' ? await core.rooms.open(target.account, target.room) : undefined
  if (target.kind === 'room' && !room) return undefined
  const session = socketlessSession(core)
  try {
    return tried(session, target, room, proofs)
  } finally {
    session.end()
    // Nobody may have entered it.
    if (room) core.rooms.release(room)
  }
}

function tried(
  session: Session,
  target: RoomAddress | LobbyAddress,
  room: Room | undefined,
  proofs: readonly Proof[],
): DryRun {
  const refused = proofs.map((proof) => adopt(session, proof)).find((refusal) => refusal)
  const flow = room ? room.config.flow : session.core.lobbyFlow
  const place = room?.place.address ?? formatAddress(target)
  const left = flow && leftOf(session, flow, place)
  // Before it enters, which is what the rights decide on.
  const inside = room && { rights: rightsIn(session, room), visitors: room.config.visitors }
  const known = knowledge(session, place)
  const end = refused
    ? refusal(refused)
    : left
      ? lockedAt(left, known)
      : arrive(session, target, room)
  const steps = flow && explainFlow(flow, known)
  const next = left ? asked(left, known) : []
  return { flow, steps, next, ...inside, end }
}

function lockedAt(left: Flow, known: Knowledge): DryRunEnd {
  const code = refusedAt(left, known)
  return code ? refusal(new Refusal(code, codeInfo(code).meaning)) : { kind: 'locked' }
}

function refusal(why: Refusal): DryRunEnd {
  return { kind: 'refused', refusal: why }
}

function knowledge(session: Session, place: string): Knowledge {
  const { acceptors } = session.core
  const contextOf = (options: unknown) =>
    lockContext(session, { id: '', place, options, values: {} })
  return {
    isFinished: (lock) => leftOf(session, { kind: 'lock', lock }, place) === undefined,
    needsOf: ({ acceptor, options }) => acceptors.get(acceptor)?.needs?.(contextOf(options)),
    refusalOf: ({ acceptor, options }) => acceptors.get(acceptor)?.refuses?.(contextOf(options)),
  }
}

/** Enters, which is decided at once: the room is loaded, and nothing locks it any more. */
function arrive(
  session: Session,
  target: RoomAddress | LobbyAddress,
  room: Room | undefined,
): DryRunEnd {
  let refused: Refusal | undefined
  const done = (why: Refusal | undefined) => {
    refused = why
  }
  enter(session, { frameId: 0, target, listen: 'ifPermitted', done })
  if (refused) return refusal(refused)
  const member = room && session.memberships.get(room.place.route)
  return { kind: 'entered', hears: member ? [...member.filters.keys()] : [''] }
}
