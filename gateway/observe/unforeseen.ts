/** What nobody foresaw of a request: who asked is told an id, under which the log has the rest. */
import { randomUUID } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import type { Log } from './log.ts'

export function unforeseen(log: Log, error: unknown, text: string): Refusal {
  const request = randomUUID()
  log.error({ request, err: error }, text)
  return new Refusal(Code.INTERNAL, `the log of the gateway has more: request ${request}`)
}
