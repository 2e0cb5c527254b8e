/** A receipt as the command line shows it. */
import type { PorthouseError, Receipt } from '@porthouse/client'
import { styled } from './output.ts'

/** What became of one message: its receipt, or the refusal that stands for one. */
export type Outcome = Receipt | Rejected

export interface Rejected {
  readonly status: 'REJECTED'
  readonly sockets: number
  readonly code: string
  readonly message: string
  readonly id?: string
  readonly sequence?: undefined
  readonly epoch?: undefined
  readonly rejections?: Receipt['rejections']
}

export function rejected({ code, message, receipt }: PorthouseError): Rejected {
  const { rejections = [], id } = receipt ?? {}
  return {
    status: 'REJECTED',
    ...(id !== undefined && { id }),
    sockets: 0,
    code,
    message,
    ...(rejections.length && { rejections }),
  }
}

/** One line of `send --json`; numbers and strings that any JSON reader understands. */
export function receiptForScripts({ sequence, epoch, rejections, ...outcome }: Outcome) {
  return {
    ...outcome,
    ...(sequence !== undefined && { sequence: Number(sequence) }),
    ...(epoch !== undefined && { epoch: Number(epoch) }),
    ...(rejections?.length && { rejections }),
  }
}

/** The same for a person, in one line. */
export function receiptForPeople(outcome: Outcome): string {
  const { status, sockets, sequence, id } = outcome
  const colour = status === 'REJECTED' ? 'red' : status === 'VOID' ? 'yellow' : 'green'
  const place = sequence === undefined ? '' : `, position ${sequence}`
  const facts = {
    ACCEPTED: 'accepted by the gateway',
    ROUTED: `reached ${sockets} socket${sockets === 1 ? '' : 's'}${place}`,
    STORED: `stored, reached ${sockets} socket${sockets === 1 ? '' : 's'}${place}`,
    VOID: 'nobody was there to hear it',
    DUPLICATE: `known already by its key; the first reached ${sockets}${place}`,
    REJECTED: 'message' in outcome ? outcome.message : outcome.code,
  }[status as string]
  const isDropped = status === 'REJECTED' || status === 'VOID'
  const next = isDropped && id !== undefined ? `; porthouse why ${id}` : ''
  return `${styled(colour, status)} ${facts ?? ''}${next}`.trimEnd()
}
