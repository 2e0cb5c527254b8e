/** A page of a room's history, by one statement that looks at a bounded part of it. */
import type postgres from 'postgres'
import type { PageRange, StoredPage } from '../../history.ts'
import { channelMatch } from './filters.ts'
import { type MessageRow, readMessage } from './rows.ts'

/** Positions that one page looks at, however few of them its filters hear. */
const SCANNED_MAX = 10_000

interface Row extends MessageRow {
  readonly head_first: string
  readonly head_last: string
  /** How many there would be without the bound of bytes; null: none, the message is empty. */
  readonly found: string | null
}

export async function page(
  sql: postgres.Sql,
  roomId: string,
  range: PageRange,
): Promise<StoredPage> {
  const { after = 0, before = Number.MAX_SAFE_INTEGER, from, limit, bytes, filters } = range
  const match = channelMatch(filters)
  const parameters = [roomId, after, before, limit, bytes]
  if (match) parameters.push(match.exact, match.patterns)
  const statement = statementOf(from, match !== undefined)
  const rows = await sql.unsafe<Row[]>(statement, parameters, { prepare: true })
  const messages = rows.filter(({ found }) => found !== null).map(readMessage)
  const low = Math.max(after + 1, Number(rows[0]?.head_first ?? 1))
  const high = Math.min(before - 1, Number(rows[0]?.head_last ?? 0))
  const found = Number(rows[0]?.found ?? 0)
  const isCut = messages.length > 0 && (found === limit || messages.length < found)
  if (from === 'start') {
    const end = Math.min(high, low + SCANNED_MAX - 1)
    const through = isCut ? messages.at(-1)!.sequence : end
    return { messages, through, more: through < high }
  }
  const end = Math.max(low, high - SCANNED_MAX + 1)
  const through = isCut ? messages[0]!.sequence : end
  return { messages, through, more: through > low }
}

function statementOf(from: 'start' | 'end', isFiltered: boolean): string {
  const order = from === 'start' ? 'asc' : 'desc'
  const window =
    from === 'start' ? `sequence < low + ${SCANNED_MAX}` : `sequence > high - ${SCANNED_MAX}`
  const heard = 'and (channel = any ($6::text[]) or channel ~ any ($7::text[]))'
  return `
    with range as (
      select number, first as head_first, last as head_last,
        greatest(first, $2::bigint + 1) as low, least(last, $3::bigint - 1) as high
      from histories where room_id = $1
    )
    select head_first, head_last, page.* from range left join lateral (
      select *, count(*) over () as found,
        sum(octet_length(body)) over (order by sequence ${order}) as total,
        row_number() over (order by sequence ${order}) as place
      from (
        select sequence, at, id, sender, channel, body from messages
        where history = number and sequence >= low and sequence <= high and ${window}
          ${isFiltered ? heard : ''}
        order by sequence ${order} limit $4
      ) as nearest
    ) as page on total <= $5 or place = 1
    order by sequence`
}
