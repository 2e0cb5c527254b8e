import { getOption } from '@bufbuild/protobuf'
import { Code, CodeSchema, rendering } from '@porthouse/proto/v1/code'

/** Name of a code of the protocol's table, without its prefix. */
export type CodeName = Exclude<keyof typeof Code, 'UNSPECIFIED'>

/**
 * A code of the table, or one of two that exist only here: CLOSED (the client is closed, or the
 * gateway ended the connection for good without saying why) and UNKNOWN (a code newer than this
 * client).
 */
export type ErrorCode = CodeName | 'CLOSED' | 'UNKNOWN'

/** A code as the client needs it. */
export interface CodeInfo {
  readonly name: ErrorCode
  /** Whether the same request may succeed later. */
  readonly temporary: boolean
  /** One line for a person; not API. */
  readonly meaning: string
}

const byNumber = new Map<number, CodeInfo>()
const byName = new Map<string, CodeInfo>()
const byClose = new Map<number, CodeInfo>()

for (const value of CodeSchema.values) {
  if (value.number === Code.UNSPECIFIED) continue
  const { temporary, meaning, websocketClose } = getOption(value, rendering)
  const info: CodeInfo = { name: value.localName as CodeName, temporary, meaning }
  byNumber.set(value.number, info)
  byName.set(info.name, info)
  byClose.set(websocketClose, info)
}

const unknown: CodeInfo = {
  name: 'UNKNOWN',
  temporary: false,
  meaning: 'A code that this client does not know',
}

/** What the gateway sent as a code. */
export const codeInfo = (code: Code): CodeInfo => byNumber.get(code) ?? unknown

/** What the client found out itself. */
export function namedCode(name: ErrorCode): CodeInfo {
  return (
    byName.get(name) ??
    (name === 'UNKNOWN' ? unknown : { name, temporary: false, meaning: 'Closed' })
  )
}

/** Whether a word is the name of a code of the table. */
export const isCodeName = (name: unknown): name is CodeName => byName.has(name as string)

/** The WebSocket close code that belongs to a code of the table. */
export function closeCode(name: ErrorCode): number {
  for (const [close, info] of byClose) if (info.name === name) return close
  return 1000
}

const RECONNECT = new Set([1001, 1006, 1011, 1012, 1013])

/** What a WebSocket close code says; its range decides where the table has no such code. */
export function closeInfo(close: number): CodeInfo {
  const info = byClose.get(close)
  if (info) return info
  const temporary = RECONNECT.has(close) || (close >= 4000 && close <= 4499)
  return temporary
    ? { name: 'UNAVAILABLE', temporary, meaning: `The connection was lost (${close})` }
    : { name: 'CLOSED', temporary, meaning: `The gateway closed the connection (${close})` }
}
