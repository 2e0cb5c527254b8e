/** What happened, and how it is told as an Event (R10). */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import type { EventKind, EventSchema } from '@porthouse/proto/v1/event'

/** But for whom it happened to. */
export interface Happening {
  readonly kind: EventKind
  /** `room:…` or `lobby:…`. */
  readonly place?: string | undefined
  /** Without its `lock:`. */
  readonly lock?: string
  readonly acceptor?: string
  readonly code?: Code
  /** For a person, at most 256 bytes. */
  readonly detail?: string
}

/** `socket`: its address, or `` where it is the gateway itself; `identities`: those to be told. */
export function eventOf(
  socket: string,
  identities: string[],
  { lock, ...happening }: Happening,
  nowMs: number,
) {
  const { kind, place = '', acceptor = '', code = Code.UNSPECIFIED, detail = '' } = happening
  const at = lock === undefined ? '' : `lock:${lock}`
  const timeMs = BigInt(nowMs)
  const event = { kind, socket, identities, place, lock: at, acceptor, code, timeMs, detail }
  return event satisfies MessageInitShape<typeof EventSchema>
}
