/** What makes a gateway ready for a case: its account with all that is in it. */
import type { Change, Fixture } from '@porthouse/proto/conformance/v1/fixture'

/** What the steps of a case know by name, e.g. `anna.secret`. */
export type Known = Readonly<Record<string, string>>

export interface Accounts {
  readonly account: string
  /** Absent: the case needs but one. */
  readonly other?: string | undefined
}

export interface Stage {
  /** Makes the accounts with what the fixture names. */
  prepare(accounts: Accounts, fixture: Fixture): Promise<Known>
  /** Resolves with what is known by another name from now on. */
  change(account: string, change: Change, known: Known): Promise<Known>
  /** The accounts may go. */
  discard(accounts: Accounts): Promise<void>
}
