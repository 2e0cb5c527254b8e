/**
 * The role with the least rights that gateways and commands have in the embedded database, so that
 * a statement that somebody slips in cannot read files, run programs or make roles.
 */
import { connect, type Server } from './database.ts'
import { DATABASE, ROLE, SUPERUSER } from './embedded/role.ts'
import { storeFailure } from './failure.ts'
import { LOCK } from './migrate.ts'

/** As long as a gateway of the version before may migrate. */
const STATEMENT_MS_MAX = 30 * 60_000
const LOCK_TIMEOUT = '10s'

/** Earlier versions were the superuser, to whom belongs what they have made. */
const FOREIGN = `
  select format('table %s', oid::regclass) as object from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
    and relowner <> (select oid from pg_roles where rolname = '${ROLE}')
  union all
  select format('function %s', oid::regprocedure) from pg_proc
  where pronamespace = 'public'::regnamespace
    and proowner <> (select oid from pg_roles where rolname = '${ROLE}')`

const IS_THERE = `exists (select from pg_roles where rolname = '${ROLE}')`

/** One statement, which is a transaction: whoever finds the role finds all of it. */
const MAKE = `
  do $$ declare foreign_one record; begin
    perform pg_advisory_xact_lock(${LOCK});
    perform set_config('lock_timeout', '${LOCK_TIMEOUT}', true);
    if not ${IS_THERE} then
      create role ${ROLE} login
        nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
      grant connect, create on database ${DATABASE} to ${ROLE};
      grant usage, create on schema public to ${ROLE};
    end if;
    for foreign_one in ${FOREIGN} loop
      execute format('alter %s owner to ${ROLE}', foreign_one.object);
    end loop;
  end $$`

/**
 * Makes the role where it is missing, and the owner of what a version before it has made. Rejects
 * with `unavailable`, and has then changed nothing.
 */
export async function ensureRole(server: Server): Promise<void> {
  const sql = connect(server, 1, STATEMENT_MS_MAX, { user: SUPERUSER })
  try {
    const [found] = await sql.unsafe<{ done: boolean }[]>(
      `select ${IS_THERE} and not exists (${FOREIGN}) as done`,
    )
    if (!found?.done) await sql.unsafe(MAKE)
  } catch (error) {
    throw storeFailure(error)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
