/** The path of a message for a person: a line a step, then what stopped it and how to mend that. */
import { timestampDate } from '@bufbuild/protobuf/wkt'
import {
  Step,
  StepSchema,
  type Trail,
  type TrailStep,
  Verdict,
  VerdictSchema,
} from '@porthouse/proto/admin/v1/trail'
import { codeInfo } from '../../protocol/codes.ts'
import { harmless, print, printTable, styled } from '../output.ts'
import type { ConfigLines } from './config-lines.ts'
import { mendOf } from './mend.ts'

const STOPPED: ReadonlySet<Verdict> = new Set([Verdict.REFUSED, Verdict.VOID, Verdict.LOST])

export function printTrail(trail: Trail, lines: ConfigLines): void {
  print(headOf(trail))
  for (const [subject, steps] of Map.groupBy(trail.steps, bySubject)) {
    print('')
    if (subject !== '') print(styled('bold', harmless(subject)))
    const rows = steps.map((step) => rowOf(step, lines))
    printTable(['step', 'verdict', 'what', 'decided by', 'after'], rows)
  }
  const stops = trail.steps.filter(({ verdict }) => STOPPED.has(verdict))
  for (const stop of stops) printStop(stop, lines)
  if (trail.furtherLosses > 0) print(`and ${trail.furtherLosses} more sockets lost it`)
}

/** Losses stand together, whosever they are. */
function bySubject({ step, subject }: TrailStep): string {
  return step === Step.OUTBOX ? 'outboxes' : step === Step.SCAN ? '' : subject
}

function headOf({ name, socket, contentBytes, acceptTime, traceId }: Trail): string {
  if (name === '') return `a message of ${contentBytes} bytes, if it were sent now`
  const at = acceptTime ? `, accepted ${timestampDate(acceptTime).toISOString()}` : ''
  const trace = traceId === '' ? '' : `, trace ${traceId}`
  const id = name.slice('messages/'.length)
  return `message ${id} of ${contentBytes} bytes from ${socket}${at}${trace}`
}

function rowOf(step: TrailStep, lines: ConfigLines): string[] {
  const { decidedBy, offsetUs } = step
  const value = lines.get(decidedBy)
  const decided = value === undefined ? decidedBy : `${decidedBy}: ${value}`
  const after = offsetUs === 0n ? '' : `${Number(offsetUs) / 1000} ms`
  return [stepName(step), verdictName(step), whatOf(step), decided, after].map(harmless)
}

function whatOf({ step, subject, code, detail, sockets, sequence, verdict }: TrailStep): string {
  const position = sequence === 0n ? '' : `position ${sequence}`
  const reached = sockets > 0 ? `${sockets} socket${sockets === 1 ? '' : 's'}` : ''
  const refusal = code === 0 ? '' : `${codeInfo(code).name}:`
  const who = step === Step.OUTBOX ? subject : ''
  const why = verdict === Verdict.ROUTED ? '' : detail
  const text = [who, refusal, why].filter((each) => each !== '').join(' ')
  return [text, reached, position].filter((each) => each !== '').join(', ')
}

function printStop(stop: TrailStep, lines: ConfigLines): void {
  const { decidedBy, detail, code, subject } = stop
  const value = lines.get(decidedBy)
  print('')
  const name = code === 0 ? '' : ` ${codeInfo(code).name}:`
  print(
    styled('red', `${verdictName(stop)} at ${stepName(stop)}`) +
      harmless(`${subject === '' ? '' : `, ${subject}`}:${name} ${detail}`),
  )
  if (decidedBy !== '') {
    print(`  decided by  ${harmless(value === undefined ? decidedBy : `${decidedBy}: ${value}`)}`)
  }
  const mend = mendOf(stop)
  if (mend !== undefined) print(`  next step   ${harmless(mend)}`)
}

function stepName({ step }: TrailStep): string {
  return StepSchema.value[step]?.localName.toLowerCase() ?? `${step}`
}

function verdictName({ verdict }: TrailStep): string {
  return VerdictSchema.value[verdict]?.localName.toLowerCase() ?? `${verdict}`
}
