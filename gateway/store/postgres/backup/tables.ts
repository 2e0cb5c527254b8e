/** What a backup holds of a database, as its catalog says: nobody keeps a list of the tables. */
import type { Sequence, Table } from './header.ts'
import type { Objects } from './objects.ts'
import type { Transaction } from './transaction.ts'

/** Who can log in: with these tables left out, so is whatever belongs to their rows. */
const SECRETS = ['api_keys', 'credentials', 'logins', 'tokens']

interface Row extends Table {
  /** Tables that its foreign keys point to. */
  readonly needs: string[]
}

/** The tables of these names that are there, in an order in which each finds what it points to. */
export async function tablesOf(tx: Transaction, { tables }: Objects): Promise<Row[]> {
  const names = JSON.stringify(tables)
  const rows = await tx<{ table: Row }[]>`
    select json_build_object(
      'name', c.relname,
      'columns', (
        select json_agg(a.attname order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0
          and not a.attisdropped and a.attgenerated = ''),
      'needs', (
        select coalesce(json_agg(distinct t.relname), '[]')
        from pg_constraint f join pg_class t on t.oid = f.confrelid
        where f.conrelid = c.oid and f.contype = 'f' and t.oid <> c.oid),
      'partitions', (
        select coalesce(json_agg(json_build_object(
          'name', p.relname, 'bound', pg_get_expr(p.relpartbound, p.oid)) order by p.relname), '[]')
        from pg_inherits i join pg_class p on p.oid = i.inhrelid
        where i.inhparent = c.oid and c.relkind = 'p')
    ) as table
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and not c.relispartition
      and c.relname in (select jsonb_array_elements_text(${names}::text::jsonb))
    order by c.relname collate "C"`
  return inOrder(rows.map(({ table }) => table))
}

/** Those that a backup without secrets has. */
export function withoutSecrets(tables: readonly Row[]): Row[] {
  const left = new Set(SECRETS)
  return tables.filter(({ name, needs }) => {
    if (needs.some((need) => left.has(need))) left.add(name)
    return !left.has(name)
  })
}

/** How far the numbers that the database itself gives have come. */
export async function sequencesOf(tx: Transaction, tables: readonly Table[]): Promise<Sequence[]> {
  const names = JSON.stringify(tables.map(({ name }) => name))
  const rows = await tx<{ sequence: Sequence }[]>`
    select json_build_object('table', c.relname, 'column', a.attname, 'last', s.last_value)
      as sequence
    from pg_depend d
    join pg_class c on c.oid = d.refobjid and c.relnamespace = 'public'::regnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
    join pg_class q on q.oid = d.objid and q.relkind = 'S'
    join pg_sequences s on s.schemaname = 'public' and s.sequencename = q.relname
    where d.deptype in ('a', 'i') and s.last_value is not null
      and c.relname in (select jsonb_array_elements_text(${names}::text::jsonb))`
  return rows.map(({ sequence }) => sequence)
}

/** Each table after those that it points to; none points to itself by way of others. */
function inOrder(tables: readonly Row[]): Row[] {
  const ordered: Row[] = []
  const placed = new Set<string>()
  while (ordered.length < tables.length) {
    const next = tables.find(
      ({ name, needs }) => !placed.has(name) && needs.every((need) => placed.has(need)),
    )
    if (!next) throw new Error('the tables point to each other in a circle')
    placed.add(next.name)
    ordered.push(next)
  }
  return ordered
}
