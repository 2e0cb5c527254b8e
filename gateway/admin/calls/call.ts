/** One call of the admin API, as a service sees it. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import { createContextKey, type HandlerContext } from '@connectrpc/connect'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import type { Principal } from '../credentials/principal.ts'

/** A resource before or after a change. */
export interface State<Desc extends DescMessage = DescMessage> {
  readonly schema: Desc
  readonly message: MessageShape<Desc>
}

/** What was changed: of what is made there is no `before`, of what is deleted no `after`. */
export interface Changed {
  /** Name of what was changed, where the request does not say it. */
  readonly resource?: string
  readonly before?: State
  readonly after?: State
}

export interface Call {
  readonly principal: Principal
  /** Address that it came from; `local`: from within this process. */
  readonly remote: string
  /** Aborts when the caller goes away, or its credentials no longer hold. */
  readonly signal: AbortSignal
  /** For the audit log. */
  changed?: Changed
}

export const callKey = createContextKey<Call | undefined>(undefined, { description: 'call' })

/** Address that a request came from. */
export const remoteKey = createContextKey('local', { description: 'remote address' })

/** Aborts with the end of a stream, also of one that everybody may open. */
export const streamKey = createContextKey(new AbortController().signal, { description: 'stream' })

/** The call that a service is asked by. */
export function callOf({ values }: Pick<HandlerContext, 'values'>): Call {
  const call = values.get(callKey)
  if (!call) throw new Refusal(Code.INTERNAL, 'a call came past the gate')
  return call
}
