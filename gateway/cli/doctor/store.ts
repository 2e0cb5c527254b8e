/** The store: does it answer, does it keep what it says, and what time it has. */
import type { Config } from '../../config/config.ts'
import { Failure } from '../failure.ts'
import { withStore } from '../with-store.ts'
import { checkSkew } from './clock.ts'
import { bad, doubtful, type Finding, good, reasonOf } from './finding.ts'

/** `folder`, `file`: as the command was given them. */
export async function checkStore(
  { databaseUrl }: Config,
  options: { readonly data?: string; readonly config?: string },
): Promise<Finding[]> {
  const what = databaseUrl === undefined ? 'the embedded PostgreSQL' : 'the PostgreSQL server'
  try {
    return await withStore(options, async (store) => {
      await store.ping()
      const now = await store.now()
      return [
        good('store', `${what} answers`),
        store.histories.syncs
          ? good('durability', 'what is stored survives a loss of power')
          : doubtful('durability', 'fsync is off', 'turn fsync on, or do without STORED'),
        checkSkew('clock of the store', now, Date.now()),
      ]
    })
  } catch (error) {
    const next = databaseUrl === undefined ? 'see the log in the data folder' : 'see DATABASE_URL'
    const detail = error instanceof Failure ? error.message : reasonOf(error)
    return [bad('store', detail, next)]
  }
}
