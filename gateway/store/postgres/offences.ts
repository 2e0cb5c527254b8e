import { and, desc, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import type { Offence, OffenceChoice, OffencePosition, Offences, Part } from '../store.ts'
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
/** Of subjects that are networks; what else is in them cannot be cast. */
const ADDRESS = 'address:'
const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const NETWORK = `^${ADDRESS}((${OCTET}[.]){3}0/24|([0-9a-f]{1,4}:){4}:/64)$`

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

  list(
    { after, limit = LISTED_MAX }: Part<OffencePosition> = {},
    choice?: OffenceChoice,
  ): Promise<Offence[]> {
    return this.#database.run((queries) =>
      queries
        .select()
        .from(offences)
        .where(and(after && isAfter(after), isChosen(choice)))
        .orderBy(desc(offences.at), bySubject)
        .limit(limit),
    )
  }

  clear(choice?: OffenceChoice): Promise<number> {
    return this.#database.run(async (queries) => {
      const { count } = await queries.delete(offences).where(isChosen(choice))
      return count
    })
  }
}

const bySubject = sql`${offences.subject} collate "C"`

function isAfter({ at, subject }: OffencePosition): SQL {
  const then = sql`${at.toISOString()}::timestamptz`
  const same = sql`${offences.at} = ${then} and ${bySubject} > ${keptSubject(subject)}`
  return sql`(${offences.at} < ${then} or (${same}))`
}

function isChosen(choice: OffenceChoice | undefined): SQL | undefined {
  if (!choice) return undefined
  if ('subject' in choice) return eq(offences.subject, keptSubject(choice.subject))
  if ('prefixes' in choice) {
    const starts = choice.prefixes.map((prefix) => sql`starts_with(${offences.subject}, ${prefix})`)
    return or(...starts) ?? sql`false`
  }
  // Of subjects, only an address is cast, whatever order the conditions are looked at in.
  const network = sql`case when ${offences.subject} ~ ${NETWORK}
    then substr(${offences.subject}, ${ADDRESS.length + 1}::integer)::inet end`
  return sql`(${network} && ${choice.network}::inet)`
}

/** What is claimed must not keep an offence from being counted, whatever it holds (S2). */
function keptSubject(subject: string): string {
  return subject.slice(0, SUBJECT_CHARS_MAX).toWellFormed().replaceAll('\0', '\ufffd')
}
