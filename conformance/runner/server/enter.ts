/** Enters a place, for cases that are about what happens then. */
import type { JsonObject } from '@bufbuild/protobuf'
import type { Enter } from '@porthouse/proto/conformance/v1/server_suite'
import { type Connection, Unmet } from '../connection.ts'
import { fill, mismatch, show, type Variables } from '../template.ts'

/** Ids of these Joins; a case's own are below. */
let nextId = 2_000_001_000

interface At {
  readonly variables: Variables
  readonly withinMs: number
}

/** Its route and epoch are known as `${WHO.route}` and `${WHO.epoch}`. */
export async function enter(
  connection: Connection,
  who: string,
  { address, sendOnly }: Enter,
  { variables, withinMs }: At,
): Promise<void> {
  const id = nextId++
  const join = { address: fill(address, variables), ...(sendOnly && { sendOnly }) }
  await connection.send([{ id, room: { join } }])
  const arrived = await connection.inbox.take(withinMs)
  if (!arrived) throw new Unmet('the Join was not answered')
  const why = mismatch({ id, room: { joined: {} } }, arrived.frame, variables)
  if (why) throw new Unmet(`the Join did not go through: ${show(arrived.frame)}`)
  const { joined } = arrived.frame.room as { joined: JsonObject }
  variables.set(`${who}.route`, joined.route ?? 0)
  variables.set(`${who}.epoch`, joined.epoch ?? '0')
}
