import { desc, eq, inArray, sql } from 'drizzle-orm'
import type { Offence, Offences } from '../store.ts'
import type { Database } from './database.ts'
import { offences } from './schema.ts'

/** Whoever gives wrong answers also chooses in how many names: the oldest make place. */
const KEPT_MAX = 10_000
const LISTED_MAX = 1_000
/** By then a millionth of a score is left. */
const HALF_LIVES_KEPT = 20
/** Deleted with each addition: more than are added, so that they become fewer. */
const SWEPT_AT_ONCE = 100
/** What else is in the name that somebody claims does not tell him from others. */
const SUBJECT_CHARS_MAX = 256

export class PostgresOffences implements Offences {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  add(subjects: readonly string[], at: Date, halfLifeMs: number): Promise<void> {
    const names = JSON.stringify(subjects.map(keptSubject))
    const now = sql`${at.toISOString()}::timestamptz`
    const halfLife = sql`${Math.max(1, halfLifeMs)}::float8`
    const seconds = sql`extract(epoch from excluded.at - ${offences.at})::float8`
    const passed = sql`${seconds} * 1000 / ${halfLife}`
    const faded = sql`${now} - make_interval(secs => ${halfLife} * ${HALF_LIVES_KEPT} / 1000)`
    return this.#database.run(async (queries) => {
      // In one order, so that two processes never wait for each other.
      await queries.execute(sql`
        with given as (
          select distinct subject from jsonb_array_elements_text(${names}::jsonb) as name (subject)
        ),
        swept as (
          delete from ${offences} where subject in (
            select subject from ${offences}
            where subject not in (select subject from given) and at <= greatest(
              ${faded}, (select at from ${offences} order by at desc offset ${KEPT_MAX} limit 1)
            )
            order by at limit ${SWEPT_AT_ONCE} for update skip locked
          )
        )
        insert into ${offences} (subject, score, count, at)
        select subject, 1, 1, ${now} from given order by subject
        on conflict (subject) do update set
          -- A power of two that underflows is an error.
          score = 1 + ${offences.score} * power(0.5, least(greatest(${passed}, 0), 1000)),
          count = ${offences.count} + 1,
          at = greatest(${offences.at}, excluded.at)`)
    })
  }

  find(subjects: readonly string[]): Promise<Offence[]> {
    return this.#database.run((queries) =>
      queries
        .select()
        .from(offences)
        .where(inArray(offences.subject, subjects.map(keptSubject))),
    )
  }

  list(): Promise<Offence[]> {
    return this.#database.run((queries) =>
      queries
        .select()
        .from(offences)
        .orderBy(desc(offences.at), offences.subject)
        .limit(LISTED_MAX),
    )
  }

  clear(subject?: string): Promise<number> {
    const which = subject === undefined ? undefined : eq(offences.subject, keptSubject(subject))
    return this.#database.run(async (queries) => {
      const { count } = await queries.delete(offences).where(which)
      return count
    })
  }
}

/** What is claimed must not keep an offence from being counted, whatever it holds (S2). */
function keptSubject(subject: string): string {
  return subject.slice(0, SUBJECT_CHARS_MAX).toWellFormed().replaceAll('\0', '\ufffd')
}
