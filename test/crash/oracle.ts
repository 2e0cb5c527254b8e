/**
 * Judges a journal by what porthouse promises (threats.md section 6): what was acknowledged is
 * there once, in order, and reaches every durable subscriber exactly once by (epoch, sequence);
 * what was refused appears nowhere; what does not come is told.
 */
import {
  type Hearing,
  isBefore,
  type Journal,
  type Kept,
  type Position,
  type Sent,
} from './journal.ts'

export type Kind =
  /** Acknowledged as stored, and not in the history. */
  | 'lost'
  /** Acknowledged at one position, and kept at another. */
  | 'conflict'
  /** In the history twice, or heard twice. */
  | 'doubled'
  /** Not in the order of positions, or not in that of its publisher. */
  | 'reordered'
  /** In the history, not heard, and nobody said so. */
  | 'gap'
  /** Refused, and in the history or heard all the same. */
  | 'refused'
  /** A position between the first and the last that no message has. */
  | 'hole'
  /** Heard, and not in the history; or never sent by anybody. */
  | 'stranger'
  /** An answer that the protocol does not have. */
  | 'odd'
  /** The run's fault was not seen to happen, so that the run shows nothing. */
  | 'unshown'

export interface Complaint {
  readonly kind: Kind
  readonly detail: string
}

/** Shown in full; the rest is counted. */
const DETAILS_MAX = 5

export class Verdict {
  readonly complaints: Complaint[] = []
  readonly counts: Record<string, number> = {}

  blame(kind: Kind, detail: string): void {
    this.counts[kind] = this.count(kind) + 1
    if (this.count(kind) <= DETAILS_MAX) this.complaints.push({ kind, detail })
  }

  count(kind: Kind): number {
    return this.counts[kind] ?? 0
  }
}

export function judge(journal: Journal): Verdict {
  const verdict = new Verdict()
  for (const { name, shown } of journal.faults) if (!shown) verdict.blame('unshown', name)
  for (const oddity of journal.odd) verdict.blame('odd', oddity)
  const sent = new Map(journal.sent.map((one) => [nameOf(one), one]))
  for (const kept of journal.kept) judgeKept(kept, sent, verdict)
  for (const one of journal.sent) judgeAnswers(one, verdict)
  const truth = new Map(journal.kept.map((kept) => [kept.room, kept]))
  for (const hearing of journal.hearings) {
    const kept = truth.get(hearing.room)
    if (kept) judgeHearing(hearing, kept, verdict)
    else verdict.blame('unshown', `the history of ${hearing.room} was not read`)
  }
  judgeAcknowledged(journal, truth, verdict)
  return verdict
}

/** The history alone: each message once, by its sender's order, without a hole, none refused. */
function judgeKept({ room, messages }: Kept, sent: Map<string, Sent>, verdict: Verdict): void {
  const seen = new Set<string>()
  const last = new Map<string, number>()
  let before: Position | undefined
  for (const message of messages) {
    const name = nameOf({ room, ...message })
    const said = `${name} at ${told(message)}`
    const origin = sent.get(name)
    if (!origin) verdict.blame('stranger', `${said} was sent by nobody`)
    if (origin?.refused) verdict.blame('refused', `${said} is in the history: ${codes(origin)}`)
    if (seen.has(name)) verdict.blame('doubled', `${said} is in the history once more`)
    seen.add(name)
    if (before) judgeStep(before, message, said, verdict)
    before = message
    if (origin?.retried) continue
    if (message.seq < (last.get(message.publisher) ?? 0)) {
      verdict.blame('reordered', `${said} comes after a later one of its publisher`)
    }
    last.set(message.publisher, message.seq)
  }
}

function judgeStep(before: Position, now: Position, said: string, verdict: Verdict): void {
  if (!isBefore(before, now)) verdict.blame('reordered', `${said} is read after ${told(before)}`)
  else if (now.epoch === before.epoch && now.sequence !== before.sequence + 1) {
    verdict.blame('hole', `nothing between ${told(before)} and ${told(now)}`)
  }
}

/** What one sender was told of one message agrees with itself. */
function judgeAnswers(sent: Sent, verdict: Verdict): void {
  const { stored } = sent
  for (const answer of sent.answers) {
    if (answer.kind !== 'stored' || !stored || same(answer.position, stored)) continue
    const both = `${told(stored)} and ${told(answer.position)}`
    verdict.blame('conflict', `${nameOf(sent)} was acknowledged at ${both}`)
  }
}

function judgeAcknowledged(
  journal: Journal,
  truth: ReadonlyMap<string, Kept>,
  verdict: Verdict,
): void {
  const places = new Map<string, Position>()
  for (const { room, messages } of truth.values()) {
    for (const message of messages) places.set(nameOf({ room, ...message }), message)
  }
  for (const sent of journal.sent) {
    const { stored } = sent
    if (!stored) continue
    const place = places.get(nameOf(sent))
    const said = `${nameOf(sent)}, acknowledged at ${told(stored)}`
    if (!place) verdict.blame('lost', `${said}, is not in the history`)
    else if (!same(place, stored)) verdict.blame('conflict', `${said}, is at ${told(place)}`)
  }
}

/** One subscriber against the history: all of it from where it began, once, in order. */
function judgeHearing(hearing: Hearing, kept: Kept, verdict: Verdict): void {
  const { subscriber, room, began, heard } = hearing
  const here = new Map(kept.messages.map((message) => [told(message), message]))
  const got = new Set<string>()
  let last = began
  for (const event of heard) {
    if (event.kind === 'notice') continue
    const at = told(event)
    const said = `${subscriber} heard ${nameOf({ room, ...event })} at ${at}`
    if (got.has(at)) {
      verdict.blame('doubled', `${said} once more`)
      continue
    }
    got.add(at)
    const truth = here.get(at)
    if (!truth) verdict.blame('stranger', `${said}, which the history does not have`)
    else if (truth.publisher !== event.publisher || truth.seq !== event.seq) {
      verdict.blame('conflict', `${said}, where the history has ${nameOf({ room, ...truth })}`)
    }
    if (!isBefore(last, event)) verdict.blame('reordered', `${said} after ${told(last)}`)
    else last = event
  }
  const notices = heard.filter((event) => event.kind === 'notice')
  for (const message of kept.messages) {
    if (!isBefore(began, message) || got.has(told(message))) continue
    const excused = notices.some(
      ({ after, upTo }) => isBefore(after, message) && !isBefore(upTo, message),
    )
    if (!excused) {
      verdict.blame('gap', `${subscriber} has not heard ${told(message)}, and was told nothing`)
    }
  }
}

function nameOf(one: { room: string; publisher: string; seq: number }): string {
  return `${one.room} ${one.publisher}:${one.seq}`
}

function told({ epoch, sequence }: Position): string {
  return `${epoch}/${sequence}`
}

function same(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.sequence === b.sequence
}

function codes({ answers }: Sent): string {
  return answers.map((answer) => (answer.kind === 'refused' ? answer.code : answer.kind)).join(', ')
}
