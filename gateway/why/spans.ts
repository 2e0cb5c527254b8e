/**
 * Each message as a span (OpenTelemetry): made of its trail once that has ended, so that a trace
 * says what the record says. What it waited for, its program and its commit, are spans below it;
 * all other steps are events.
 */
import {
  type Context,
  context,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { Step, StepSchema, Verdict, VerdictSchema } from '@porthouse/proto/admin/v1/trail'
import { activeTracer, contextOf } from '../observe/tracing.ts'
import { codeInfo } from '../protocol/codes.ts'
import { headersIn } from '../protocol/headers.ts'
import type { ScannedEnvelope } from '../protocol/scan-envelope.ts'
import { uuidOf } from '../protocol/uuid7.ts'
import type { Leg, Trail } from '../router/trail.ts'
import type { Spans } from './recorder.ts'
import { stepsOf, subjectOf, type TrailStep } from './steps.ts'

export class MessageSpans implements Spans {
  /** Milliseconds since 1970-01-01 UTC at which the recorder's clock stood at 0. */
  readonly #originMs: number

  constructor(originMs: number) {
    this.#originMs = originMs
  }

  get active(): boolean {
    return activeTracer() !== undefined
  }

  began(trail: Trail, envelope: ScannedEnvelope): void {
    for (const [name, value] of headersIn(envelope)) {
      if (value.length > STATE_CHARS_MAX) continue
      if (name === 'traceparent') trail.traceparent = value
      else if (name === 'tracestate') trail.tracestate = value
    }
    const request = trace.getSpanContext(context.active())
    if (request && isOf(request, trail.traceparent)) trail.traceparent = traceparentOf(request)
  }

  ended(trail: Trail): void {
    const tracer = activeTracer()
    if (!tracer) return
    const parent = contextOf(trail.traceparent, trail.tracestate)
    const kind = SpanKind.PRODUCER
    const startTime = this.#time(trail.beganAt)
    const attributes = attributesOf(trail)
    const span = tracer.startSpan(nameOf('publish', trail), { kind, startTime, attributes }, parent)
    if (span.isRecording()) this.#fill(span, trail, tracer, trace.setSpan(parent, span))
    span.end(this.#time(trail.endedAt))
  }

  #fill(span: Span, trail: Trail, tracer: Tracer, within: Context): void {
    for (const step of stepsOf(trail, () => 'all')) {
      const at = this.#time(trail.beganAt + Number(step.offsetUs ?? 0n))
      span.addEvent(stepName(step), eventOf(step), at)
    }
    for (const leg of trail.legs) {
      for (const stop of leg.stops) this.#wait(leg, stop, tracer, within)
    }
    const failed = trail.legs.filter(({ verdict }) => verdict === Verdict.REFUSED)
    const [first] = failed
    if (!first || failed.length < trail.legs.length) return
    span.setAttribute('error.type', codeInfo(first.code).name)
    span.setStatus({ code: SpanStatusCode.ERROR, message: first.detail })
  }

  #wait(leg: Leg, { step, since, until }: Leg['stops'][number], tracer: Tracer, within: Context) {
    const isProgram = step === Step.PROGRAM
    const operation = isProgram ? 'process' : step === Step.STORE ? 'store' : 'recall'
    const kind = isProgram ? SpanKind.CONSUMER : SpanKind.INTERNAL
    const attributes = {
      'messaging.system': SYSTEM,
      'messaging.operation.name': operation,
      ...(isProgram && { 'messaging.operation.type': 'process' }),
      'messaging.destination.name': subjectOf(leg),
    }
    const startTime = this.#time(since)
    const name = `${operation} ${roomOf(leg)}`
    const child = tracer.startSpan(name, { kind, startTime, attributes }, within)
    if (until === 0 && leg.verdict === Verdict.REFUSED) {
      child.setAttribute('error.type', codeInfo(leg.code).name)
      child.setStatus({ code: SpanStatusCode.ERROR, message: leg.detail })
    }
    child.end(this.#time(until || leg.at || since))
  }

  /** In milliseconds since 1970-01-01 UTC. */
  #time(micros: number): number {
    return this.#originMs + micros / 1000
  }
}

const SYSTEM = 'porthouse'

/** Of a tracestate (W3C Trace Context, section 3.3.1.5). */
const STATE_CHARS_MAX = 512

/**
 * The request that a message came by, such as POST /v1/messages, stands between it and what its
 * sender named, unless that is another trace.
 */
function isOf({ traceId }: SpanContext, traceparent: string): boolean {
  return traceparent === '' || traceparent.includes(traceId)
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** By the room, without the channel, of which there may be any number. */
function nameOf(operation: string, { legs }: Trail): string {
  const [first] = legs
  if (!first) return operation
  return legs.length === 1 ? `${operation} ${roomOf(first)}` : `${operation} (several)`
}

function roomOf({ kind, place }: Leg): string {
  if (place === '') return `(${kind})`
  return kind === 'room' ? `room:${place}` : `(group of room:${place})`
}

/** By OpenTelemetry's conventions for messaging. */
function attributesOf({ id, socket, contentBytes, legs }: Trail) {
  const [only] = legs.length === 1 ? legs : []
  return {
    'messaging.system': SYSTEM,
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    ...(only && { 'messaging.destination.name': subjectOf(only) }),
    'messaging.message.id': uuidOf(id.bytes.toString('hex', id.at, id.at + ID_BYTES)),
    'messaging.message.body.size': contentBytes,
    'messaging.client.id': `socket:${socket}`,
  }
}

const ID_BYTES = 16

function stepName({ step }: TrailStep): string {
  return `porthouse.${StepSchema.value[step ?? 0]?.localName.toLowerCase()}`
}

function eventOf({ subject, verdict, code, detail, decidedBy, sockets, sequence }: TrailStep) {
  return {
    'porthouse.verdict': VerdictSchema.value[verdict ?? 0]?.localName.toLowerCase() ?? '',
    ...(subject && { 'porthouse.subject': subject }),
    ...(code && { 'porthouse.code': codeInfo(code).name }),
    ...(detail && { 'porthouse.detail': detail }),
    ...(decidedBy && { 'porthouse.decided_by': decidedBy }),
    ...(sockets && { 'porthouse.sockets': sockets }),
    ...(sequence && { 'porthouse.sequence': Number(sequence) }),
  }
}
