/** What part of the live gateway a call is about: one account, or all of it (R10, A15). */
import type { HandlerContext } from '@connectrpc/connect'
import { isNamed, type Named } from '../locks/proof.ts'
import { isAtDoorOf, isNear, isOwned } from '../session/identity/sight.ts'
import type { Session } from '../session/session.ts'
import { theAccount } from './accounts.ts'
import { callOf } from './calls/call.ts'
import type { AdminParts } from './parts.ts'

export class Scope {
  /** Undefined: all of them. */
  readonly account: Named | undefined

  constructor(account: Named | undefined) {
    this.account = account
  }

  /** Whether an account, given by slug or UUID, is within. */
  readonly covers = (name: string): boolean => {
    return this.account === undefined || isNamed(this.account, name)
  }

  /** Whether anything of the socket is within. */
  sees(session: Session): boolean {
    if (this.account === undefined) return true
    return isNear(session, this.covers) || isAtDoorOf(session, this.covers)
  }

  /** Whether it may be dropped and moved: a guest, who is somebody elsewhere, may not. */
  owns(session: Session): boolean {
    if (this.account === undefined || isOwned(session, this.covers)) return true
    return session.accounts.size === 0 && isAtDoorOf(session, this.covers)
  }
}

/** Of a parent that the caller may name: `accounts/*`, or `-`. Rejects with RESOURCE_UNKNOWN. */
export async function scopeOf(
  { store }: AdminParts,
  parent: string,
  context: HandlerContext,
): Promise<Scope> {
  if (parent === '-') return new Scope(undefined)
  const { account } = callOf(context).principal
  return new Scope(account ?? (await theAccount(store.accounts, parent)))
}

/** Of what a caller may know of at all. */
export function scopeOfCaller(context: HandlerContext): Scope {
  return new Scope(callOf(context).principal.account)
}
