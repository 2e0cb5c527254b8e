/** What says that a resource is still as it was read (AIP-154). */
import { createHash } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'

/** Of what may change in a resource; JSON has to tell it apart. */
export function etagOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)
}

/** An empty one says that whatever is there may be changed. Throws Refusal ETAG_STALE. */
export function checkEtag(given: string, current: string): void {
  if (given !== '' && given !== current) {
    throw new Refusal(Code.ETAG_STALE, 'it was changed meanwhile; read it again')
  }
}
