/** A trail in words: what was noted of a message, as the steps that it passed (R49). */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Step, type TrailStepSchema, Verdict } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import { grantOf } from '../router/membership.ts'
import type { KeptLoss, Leg, Trail } from '../router/trail.ts'

export type TrailStep = Exclude<MessageInitShape<typeof TrailStepSchema>, { $typeName: unknown }>

/** Which of a message's destinations may be told to whoever asks, and how much of each. */
export type Sight = (leg: Leg) => 'all' | 'outcome' | 'nothing'

export function stepsOf(trail: Trail, sight: Sight): TrailStep[] {
  const steps = trail.legs.flatMap((leg) => {
    const seen = sight(leg)
    if (seen === 'nothing') return []
    const steps = legSteps(trail, leg)
    return seen === 'all' ? steps : steps.map((step) => ({ ...step, decidedBy: '' }))
  })
  if (trail.legs.length === 0) steps.push(nowhere(trail))
  // Who may see nothing of the room has no business with its sockets.
  const isSeen = trail.legs.some((leg) => leg.place !== '' && sight(leg) === 'all')
  return isSeen ? [...steps, ...trail.losses.map((loss) => lossStep(trail, loss))] : steps
}

const FORESEEN = { verdict: Verdict.WAITING, detail: 'known when it comes' }

/** It named no destination, and its sender has none. */
function nowhere(trail: Trail): TrailStep {
  return {
    step: Step.RESOLVE,
    subject: `socket:${trail.socket}`,
    verdict: Verdict.VOID,
    detail: 'it names no destination, and its sender has neither a place nor a client',
    offsetUs: offset(trail, trail.endedAt),
  }
}

function legSteps(trail: Trail, leg: Leg): TrailStep[] {
  const subject = subjectOf(leg)
  const passed = [...passedSteps(trail, leg)].map((step) => ({ subject, ...step }))
  return [...passed, { subject, ...lastStep(trail, leg) }, ...lateStep(trail, leg, subject)]
}

export function subjectOf({ kind, name, place, target }: Leg): string {
  if (kind === 'room') return `room:${place}${target === '' ? '' : `/${target}`}`
  return target || name
}

/** What it passed before the step that it ended at, or is at. */
function* passedSteps(trail: Trail, leg: Leg): Iterable<TrailStep> {
  const { step, enteredMs, stops } = leg
  const passes = (each: Step) => step > each
  const pass = (each: Step, rest: TrailStep = {}): TrailStep => {
    const at = leg.fittedAt > 0 && each >= Step.FIT ? leg.fittedAt : trail.beganAt
    return { step: each, verdict: Verdict.PASSED, offsetUs: offset(trail, at), ...rest }
  }
  if (enteredMs >= 0 && passes(Step.ENTER)) {
    const after = enteredMs > 0 ? `, after ${enteredMs} ms` : ''
    yield pass(Step.ENTER, { detail: `entered first${after}` })
  }
  if (passes(Step.RESOLVE)) yield pass(Step.RESOLVE, resolved(trail, leg))
  if (passes(Step.PERMIT)) yield pass(Step.PERMIT, permitted(leg))
  if (passes(Step.FIT)) yield pass(Step.FIT)
  if (trail.hasKey && passes(Step.RECALL)) yield pass(Step.RECALL)
  for (const stop of stops) {
    const isForeseen = stop.until === 0 && leg.verdict !== Verdict.WAITING
    if (isForeseen && leg.verdict !== Verdict.REFUSED) yield pass(stop.step, FORESEEN)
    if (stop.until === 0) continue
    const verdict = stop.step === Step.STORE ? Verdict.STORED : Verdict.PASSED
    const detail = `after ${stop.until - stop.since} µs`
    yield { step: stop.step, verdict, detail, offsetUs: offset(trail, stop.until) }
  }
}

function resolved(trail: Trail, { kind, defaultedBy }: Leg): TrailStep {
  if (trail.isAddressed) return {}
  if (defaultedBy !== '') return { detail: 'the default target', decidedBy: defaultedBy }
  const to = kind === 'room' ? 'the place that its sender entered by' : "its sender's own"
  return { detail: `it names no destination: ${to}` }
}

function permitted({ right, holder, place }: Leg): TrailStep {
  return right === undefined ? {} : { decidedBy: grantOf({ right, holder }, place) }
}

function lastStep(trail: Trail, leg: Leg): TrailStep {
  const { step, verdict, code, detail, decidedBy, sockets, sequence, epoch } = leg
  const at = verdict === Verdict.WAITING ? (leg.stops.at(-1)?.since ?? 0) : leg.at
  const end = { step, verdict, offsetUs: offset(trail, at || trail.endedAt) }
  switch (verdict) {
    case Verdict.REFUSED:
      return { ...end, code, detail, decidedBy }
    case Verdict.REPEATED:
      return { ...end, detail: 'the message names it twice' }
    case Verdict.VOID:
    case Verdict.KEPT:
    case Verdict.ROUTED:
    case Verdict.DUPLICATE: {
      const facts = { sockets, sequence: BigInt(sequence), epoch: BigInt(epoch) }
      return { ...end, detail, decidedBy, ...facts }
    }
    default:
      return end
  }
}

/** Its sender was told that nobody knew, and then it was known. */
function lateStep(trail: Trail, { late, lateAt }: Leg, subject: string): TrailStep[] {
  if (late === Verdict.UNSPECIFIED) return []
  const detail = 'known after its sender was told that nobody knew'
  return [{ step: Step.STORE, subject, verdict: late, detail, offsetUs: offset(trail, lateAt) }]
}

function lossStep(trail: Trail, { socket, sequence, decidedBy, at }: KeptLoss): TrailStep {
  return {
    step: Step.OUTBOX,
    subject: `socket:${socket}`,
    verdict: Verdict.LOST,
    code: Code.SLOW_CONSUMER,
    detail: 'the socket reads more slowly than it is sent to',
    decidedBy,
    sequence: BigInt(sequence),
    offsetUs: offset(trail, at),
  }
}

/** In microseconds; at least 0, also of what is told before it was timed. */
function offset({ beganAt }: Trail, at: number): bigint {
  return BigInt(Math.max(0, Math.trunc(at - beganAt)))
}
