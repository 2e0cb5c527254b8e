/** What is sent, what becomes of it, and what is refused. */
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { codeInfo } from '../../protocol/codes.ts'
import { LOGIN_OUTCOMES, REFUSED } from '../counts.ts'
import type { Family, Measured, Sample } from './family.ts'
import { byMedium } from './sockets.ts'

const { UNSPECIFIED } = ReceiptStatus

function receipts({ core }: Measured): Sample[] {
  const told = Object.entries(ReceiptStatus).filter(([, status]) => status !== UNSPECIFIED)
  return told.map(([name, status]) => ({
    value: core.counts.receipts.of(status),
    labels: { status: name.toLowerCase() },
  }))
}

function nameOf(code: Code): string {
  return codeInfo(code).name
}

function* refusals({ core }: Measured): Iterable<Sample> {
  for (const of of REFUSED) {
    const counts = core.counts.refusals[of]
    const sample = (code: Code) => ({ value: counts.of(code), labels: { of, code: nameOf(code) } })
    // There from the beginning, so that the first one is seen to rise.
    yield sample(Code.INTERNAL)
    for (const [code] of counts) if (code !== Code.INTERNAL) yield sample(code)
  }
}

function* logins({ core }: Measured): Iterable<Sample> {
  for (const outcome of LOGIN_OUTCOMES) {
    for (const acceptor of core.acceptors.keys()) {
      yield { value: core.counts.logins[outcome].of(acceptor), labels: { acceptor, outcome } }
    }
  }
}

function* lockedOut({ core }: Measured): Iterable<Sample> {
  for (const [code, value] of core.counts.lockedOut) {
    yield { value, labels: { code: nameOf(code) } }
  }
}

export const messages: readonly Family[] = [
  {
    type: 'counter',
    name: 'porthouse_messages_received_total',
    help: 'Messages that sockets have sent and the router has taken or refused.',
    labels: ['medium'],
    read: byMedium(({ messagesIn }) => messagesIn),
  },
  {
    type: 'counter',
    name: 'porthouse_messages_sent_total',
    help: 'Messages that were handed to sockets as they were sent; what is past is not counted.',
    labels: ['medium'],
    read: byMedium(({ messagesOut }) => messagesOut),
  },
  {
    type: 'counter',
    name: 'porthouse_received_bytes_total',
    help: 'Bytes of packets that came, without the framing of WebSocket and TLS.',
    labels: ['medium'],
    read: byMedium(({ bytesIn }) => bytesIn),
  },
  {
    type: 'counter',
    name: 'porthouse_sent_bytes_total',
    help: 'Bytes that were written to connections; of teleprinters, what their text is made of.',
    labels: ['medium'],
    read: byMedium(({ bytesOut }) => bytesOut),
  },
  {
    type: 'counter',
    name: 'porthouse_receipts_total',
    help: 'What senders were told of their messages, by RECEIPT_STATUS.',
    labels: ['status'],
    read: receipts,
  },
  {
    type: 'counter',
    name: 'porthouse_refusals_total',
    help: 'What was refused: connections, requests on them, messages, requests over HTTP.',
    labels: ['of', 'code'],
    read: refusals,
  },
  {
    type: 'counter',
    name: 'porthouse_logins_total',
    help: 'Verdicts of acceptors: passed, failed, or unavailable where one could not judge.',
    labels: ['acceptor', 'outcome'],
    read: logins,
  },
  {
    type: 'counter',
    name: 'porthouse_locked_out_total',
    help: 'Places that stayed locked for somebody, by why.',
    labels: ['code'],
    read: lockedOut,
  },
]
