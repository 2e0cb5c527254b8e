/** What a client has not had to the end, for whoever keeps its session. */
import type { EnvelopeBody } from '../../../protocol/packet-writer.ts'
import { bodyOf } from './content.ts'
import type { Source } from './parcel.ts'
import type { Pending } from './window.ts'

export interface Unacknowledged extends Source {
  /** Undefined where it is released. */
  readonly body: EnvelopeBody | undefined
  /** It came by a share, and not by a subscription of its own. */
  readonly isShared: boolean
  readonly qos: 1 | 2
  readonly retain: boolean
  readonly identifiers: readonly number[]
  /** With which it was sent; undefined: it was not. */
  readonly messageId: number | undefined
  /** Its PUBREC has come: what is owed is PUBREL. */
  readonly released: boolean
}

/**
 * In order; without what is kept already, what is of the gateway's own topics, and what another one
 * of a share has got meanwhile.
 */
export function unacknowledged(pending: Iterable<Pending>): Unacknowledged[] {
  const all: Unacknowledged[] = []
  for (const { parcel, messageId, released } of pending) {
    const { source, content, retain, identifiers } = parcel
    if (!source || parcel.isHandedOn) continue
    const body = released ? undefined : bodyOf(content)
    const isShared = parcel.share !== undefined
    const qos = parcel.qos as 1 | 2
    all.push({ ...source, body, isShared, qos, retain, identifiers, messageId, released })
  }
  return all
}
