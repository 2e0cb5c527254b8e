/** A message that was refused as a whole, by its id: why, can be asked by it (R49). */
import type { Code } from '@porthouse/proto/v1/code'
import { Refusal } from './codes.ts'

export class RefusedMessage extends Refusal {
  /** `messages/{uuid}`. */
  readonly resource: string

  constructor(code: Code, detail: string, resource: string) {
    super(code, detail)
    this.resource = resource
  }
}

/** The header that tells of a message over HTTP, in answers of both kinds. */
export const MESSAGE_HEADER = 'porthouse-message'
