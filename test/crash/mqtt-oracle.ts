/**
 * Judges what MQTT clients have published by what their acknowledgements promise: what was
 * acknowledged is there, in its publisher's order, and twice only where it was sent twice.
 */
import type { Named } from './journal.ts'
import { Verdict } from './oracle.ts'

/** One message, as its publisher knows it. */
export interface Published extends Named {
  readonly room: string
  readonly qos: 1 | 2
  /** It has an idempotency key, which the room's history knows: sent again it is there once. */
  readonly isOnce: boolean
  /** More than one: with DUP. */
  attempts: number
  /** By PUBACK or PUBREC. */
  isAcknowledged: boolean
  /** Their reason codes from 0x80. */
  readonly refusals: number[]
}

/** `kept`: what there is of each room, in its order. */
export function judgePublished(
  published: readonly Published[],
  kept: ReadonlyMap<string, readonly Named[]>,
): Verdict {
  const verdict = new Verdict()
  const sent = new Map(published.map((one) => [nameOf(one.room, one), one]))
  const seen = new Set<string>()
  for (const [room, messages] of kept) judgeRoom(room, messages, { sent, seen, verdict })
  for (const [name, { isAcknowledged, refusals }] of sent) {
    if (isAcknowledged && !seen.has(name)) verdict.blame('lost', `${name} was acknowledged`)
    if (refusals.length > 0) verdict.blame('refused', `${name} by ${refusals}`)
  }
  return verdict
}

interface Judging {
  readonly sent: ReadonlyMap<string, Published>
  readonly seen: Set<string>
  readonly verdict: Verdict
}

function judgeRoom(room: string, messages: readonly Named[], judging: Judging): void {
  const { sent, seen, verdict } = judging
  const last = new Map<string, number>()
  for (const message of messages) {
    const name = nameOf(room, message)
    const origin = sent.get(name)
    if (!origin) verdict.blame('stranger', `${name} was sent by nobody`)
    if (!seen.has(name)) {
      seen.add(name)
      const before = last.get(message.publisher) ?? 0
      if (message.seq < before) verdict.blame('reordered', `${name} comes after ${before}`)
      last.set(message.publisher, message.seq)
    } else if (origin?.isOnce) verdict.blame('doubled', `${name}, which has a key`)
    else if (origin?.attempts === 1) verdict.blame('doubled', `${name}, which was sent once`)
  }
}

/** How many there are more than once. */
export function doubled(messages: readonly Named[]): Named[] {
  const seen = new Set<string>()
  return messages.filter((message) => {
    const name = nameOf('', message)
    const isAgain = seen.has(name)
    seen.add(name)
    return isAgain
  })
}

function nameOf(room: string, { publisher, seq }: Named): string {
  return `${room} ${publisher}:${seq}`
}
