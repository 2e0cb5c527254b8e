/** The first packet of a WebSocket, as a client that knows what it wants sends it. */
import type { JsonObject } from '@bufbuild/protobuf'
import { type Connection, type Dial, Unmet } from '../connection.ts'
import { shownEnding } from '../inbox.ts'
import { mismatch, show } from '../template.ts'

/** Id of a Hello of ours; a case's own are below. */
export const HELLO = 2_000_000_001
const TOKEN = 2_000_000_002

/**
 * Hello, and the answer to a lock that asks for a token, where the case says so; takes Welcome, and
 * the verdict unless the path leads on to a place. What it learns is known as `${WHO.socket}`.
 */
export async function greet(connection: Connection, dial: Dial): Promise<void> {
  const { open, variables, withinMs } = dial
  const frames: JsonObject[] = []
  if (!open.noHello) frames.push({ id: HELLO, hello: { capabilities: open.capabilities } })
  if (open.as !== '') {
    const text = variables.value(`${open.as}.secret`)
    frames.push({ id: TOKEN, lockStep: { answer: { acceptor: 'token', text } } })
  }
  if (frames.length === 0) return
  await connection.send(frames)
  if (!open.noHello) {
    const { welcome } = (await next(connection, withinMs)) as { welcome?: JsonObject }
    if (!welcome) throw new Unmet('the first frame is no Welcome')
    learn(welcome, dial)
  }
  // What stands at a place's lock, and how it is resolved, is the case's own.
  if (open.as === '' || open.path !== '') return
  const passed = { id: TOKEN, lockStep: { verdict: { outcome: 'OUTCOME_PASSED' } } }
  const verdict = await next(connection, withinMs)
  const why = mismatch(passed, verdict, variables)
  if (why) throw new Unmet(`the token was not taken: ${show(verdict)}`)
}

/** What Welcome tells is known as `${WHO.socket}` and `${limits.NAME}`. */
export function learn({ socket = '', limits = {} }: JsonObject, { variables, who }: Dial): void {
  variables.set(`${who}.socket`, socket)
  for (const [name, limit] of Object.entries(limits as JsonObject)) {
    variables.set(`limits.${name}`, limit)
  }
}

async function next({ inbox }: Connection, withinMs: number): Promise<JsonObject> {
  const arrived = await inbox.take(withinMs)
  if (!arrived) throw new Unmet(`the greeting was not answered, ${shownEnding(inbox.ending)}`)
  return arrived.frame
}
