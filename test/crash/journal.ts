/**
 * What publishers, subscribers and a reader of the whole history saw, each in its own words; the
 * oracle (oracle.ts) judges it. Nobody here knows what the others saw.
 */

/** Of a message in its room. */
export interface Position {
  readonly epoch: number
  readonly sequence: number
}

/** Which message it is: the publisher's own count, which it sends as the text. */
export interface Named {
  readonly publisher: string
  readonly seq: number
}

/** One receipt. No receipt at all is no answer, which says nothing. */
export type Answer =
  /** STORED, or DUPLICATE of one that is. */
  | { readonly kind: 'stored'; readonly position: Position }
  /** Final for this attempt, with its code. */
  | { readonly kind: 'refused'; readonly code: string }
  /** It may be stored, or be yet: UNCERTAIN. */
  | { readonly kind: 'uncertain' }

export class Sent implements Named {
  readonly room: string
  readonly publisher: string
  readonly seq: number
  readonly at: number
  readonly answers: Answer[] = []
  /** When it was first acknowledged as stored; Infinity where it was not. */
  storedAt = Number.POSITIVE_INFINITY
  attempts = 1
  /** It was tried again after an answer, so that its place among its publisher's is open. */
  retried = false

  constructor(room: string, { publisher, seq }: Named, at: number) {
    this.room = room
    this.publisher = publisher
    this.seq = seq
    this.at = at
  }

  get stored(): Position | undefined {
    const answer = this.answers.find(({ kind }) => kind === 'stored')
    return answer?.kind === 'stored' ? answer.position : undefined
  }

  /** Every attempt was refused, and none of them may have happened. */
  get refused(): boolean {
    return (
      this.answers.length >= this.attempts && this.answers.every(({ kind }) => kind === 'refused')
    )
  }
}

/** What a subscriber got, in the order in which it came. */
export type Heard =
  | ({ readonly kind: 'message' } & Named & Position)
  /** Told: messages after one position and up to another did not come, or not all of them. */
  | {
      readonly kind: 'notice'
      readonly after: Position
      readonly upTo: Position
      readonly code: string
    }

/** One that is to hear everything from where it began. */
export interface Hearing {
  readonly subscriber: string
  readonly room: string
  /** Everything after it is its own to hear. */
  readonly began: Position
  readonly heard: Heard[]
}

export interface KeptMessage extends Named, Position {
  /** Its UUIDv7 in hexadecimal digits. */
  readonly id: string
}

/** All that a room has kept, as read when all was over. */
export interface Kept {
  readonly room: string
  /** In the order of the reading. */
  readonly messages: readonly KeptMessage[]
}

export class Journal {
  readonly sent: Sent[] = []
  readonly hearings: Hearing[] = []
  readonly kept: Kept[] = []
  /** Answers that have no place in the protocol. */
  readonly odd: string[] = []
  /** Faults that were to happen, and whether each was shown to have happened. */
  readonly faults: { readonly name: string; shown: boolean }[] = []

  /** A fault that the run is about; returns what is to be called when it was seen to happen. */
  plan(name: string): () => void {
    const fault = { name, shown: false }
    this.faults.push(fault)
    return () => {
      fault.shown = true
    }
  }
}

/** Whether one comes before another; between epochs, the older one. */
export function isBefore(a: Position, b: Position): boolean {
  return a.epoch === b.epoch ? a.sequence < b.sequence : a.epoch < b.epoch
}
