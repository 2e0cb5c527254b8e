/** What a room's messages have to be, as the router and the lanes see it (R20). */
import type { EnvelopeBody } from '../protocol/packet-writer.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'

export interface Structure {
  /**
   * The envelope itself where it fits, or as another where it came in another form of the same
   * (JSON for Protobuf). Throws Refusal CONTENT_INVALID, with the place in it and the reason.
   */
  admit(envelope: ScannedEnvelope): ScannedEnvelope
  /** The content as text, for lanes of text; undefined: it goes as it is. */
  textOf(body: EnvelopeBody): string | undefined
}
