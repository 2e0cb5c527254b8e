/** Messages of histories that are gone, which nobody can read any more, are deleted. */
import { setTimeout } from 'node:timers/promises'
import type { Database } from '../database.ts'

/** Deleted by one statement, so that none is long. */
const SWEPT_AT_ONCE = 5_000

/** Rejects with an AbortError where it is cut short; the next one goes on with it. */
export async function sweep(database: Database, signal: AbortSignal): Promise<void> {
  const dropped = await database.run(
    (_, sql) => sql<{ number: string }[]>`select number from dropped_histories`,
  )
  for (const { number } of dropped) {
    for (let isLeft = true; isLeft; ) {
      const since = performance.now()
      isLeft = (await sweepSome(database, number)) > 0
      // As long as it took, so that the disk is free for others half of the time.
      await setTimeout(performance.now() - since, undefined, { ref: false, signal })
    }
    await database.run((_, sql) => sql`delete from dropped_histories where number = ${number}`)
  }
}

async function sweepSome(database: Database, number: string): Promise<number> {
  const { count } = await database.run(
    (_, sql) => sql`
      delete from messages where history = ${number} and sequence <= (
        select max(sequence) from (
          select sequence from messages where history = ${number}
          order by sequence limit ${SWEPT_AT_ONCE}
        ) as oldest
      )`,
  )
  return count
}
