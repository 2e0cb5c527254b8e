/** What `porthouse lock explain` found out, for people and for scripts. */
import type { JsonObject } from '@bufbuild/protobuf'
import { PROVES } from '../locks/acceptors/proves.ts'
import type { Step } from '../locks/explain.ts'
import type { LockSpec } from '../locks/flow.ts'
import { codeInfo } from '../protocol/codes.ts'
import { shownOptions } from '../rooms/config-secrets.ts'
import type { DryRun, DryRunEnd } from '../session/entry/dry-run.ts'
import type { RoomRights } from '../session/entry/membership.ts'
import { harmless, print, printTable } from './output.ts'

export interface Explanation {
  readonly address: string
  /** What the socket has proved to be, and by which acceptor. */
  readonly as: readonly string[]
  readonly run: DryRun
  /** As configured, by lock. */
  readonly options: ReadonlyMap<LockSpec, JsonObject>
}

const UNKNOWN = 'see its page'

export function printExplanation(explanation: Explanation): void {
  const { address, as, run } = explanation
  print(`${address}, as ${as.length > 0 ? as.join(', ') : 'nobody'}`)
  print('')
  if (run.steps) {
    printTable(['lock', 'state', 'tries', 'seconds', 'proves', 'options'], rows(run, explanation))
    print('')
  }
  if (run.rights) print(`rights inside, by this: ${rightsText(rightsOf(run.rights))}`)
  if (run.steps && run.visitors) print(`rights of a visitor: ${rightsText(run.visitors)}`)
  print(endText(run))
}

function rows({ steps, next }: DryRun, { options }: Explanation): string[][] {
  return steps ? rowsOf(steps, 0) : []

  function rowsOf(step: Step, depth: number): string[][] {
    const indent = '  '.repeat(depth)
    const done = step.finished ? 'finished' : ''
    if (step.kind !== 'lock') {
      const within = step.steps.flatMap((each) => rowsOf(each, depth + 1))
      return [[`${indent}${step.kind} of`, done], ...within]
    }
    const { acceptor, tries, deadlineMs } = step.lock
    const state = done || (next.includes(step.lock) ? 'asked now' : '')
    const proves = PROVES[acceptor] ?? UNKNOWN
    const given = optionsText(options.get(step.lock))
    const row = [`${indent}${acceptor}`, state, String(tries), String(deadlineMs / 1000), proves]
    if (!step.needs) return [[...row, given]]
    return [[...row, given], [`${indent}  needs`], ...rowsOf(step.needs, depth + 2)]
  }
}

function optionsText(options: JsonObject = {}): string {
  const shown = shownOptions(options)
  return Object.keys(shown).length > 0 ? harmless(JSON.stringify(shown)) : ''
}

interface ShownRights {
  readonly send: boolean
  readonly receive: boolean
  readonly admit: boolean
  /** Absent: all of them. */
  readonly sendChannels?: readonly string[]
  readonly receiveChannels?: readonly string[]
}

function rightsText(rights: ShownRights): string {
  const { send, receive, admit, sendChannels = [], receiveChannels = [] } = rights
  const words = [
    ...(send ? [`send${within(sendChannels)}`] : []),
    ...(receive ? [`receive${within(receiveChannels)}`] : []),
    ...(admit ? ['admit'] : []),
  ]
  return words.length > 0 ? words.join(', ') : 'none'
}

function within(channels: readonly string[]): string {
  return channels.length > 0 ? ` (${channels.join(', ')})` : ''
}

function rightsOf({ senders, hears, mayAdmit }: RoomRights): ShownRights {
  const sends = senders.flatMap(({ channels }) => (channels.length > 0 ? channels : ['']))
  return {
    send: sends.length > 0,
    receive: hears.length > 0,
    admit: mayAdmit,
    ...(sends.length > 0 && !sends.includes('') && { sendChannels: [...new Set(sends)] }),
    ...(hears.length > 0 && !hears.includes('') && { receiveChannels: [...new Set(hears)] }),
  }
}

function endText({ end, next }: DryRun): string {
  switch (end.kind) {
    case 'locked':
      return `it would wait at: ${next.map(({ acceptor }) => acceptor).join(' or ')}`
    case 'refused':
      return `it would be refused: ${codeInfo(end.refusal.code).name}: ${end.refusal.detail}`
    case 'entered':
      return `it would be in, ${hearsText(end.hears)}`
  }
}

function hearsText(hears: readonly string[]): string {
  if (hears.length === 0) return 'to send only'
  return `and hear ${hears.map((filter) => filter || 'all of it').join(', ')}`
}

export function explanationForScripts({ address, as, run, options }: Explanation) {
  const { steps, next, rights, visitors, end } = run
  return {
    address,
    as,
    steps: steps ? stepForScripts(steps, options) : null,
    next: next.map(({ acceptor }) => acceptor),
    ...(rights && { rights: rightsOf(rights) }),
    ...(visitors && { visitors: visitorsForScripts(visitors) }),
    end: endForScripts(end),
  }
}

function visitorsForScripts({ send, receive, admit }: ShownRights) {
  return { send, receive, admit }
}

type StepForScripts =
  | { all: StepForScripts[]; finished: boolean }
  | { any: StepForScripts[]; finished: boolean }
  | (Omit<LockSpec, 'options'> & {
      finished: boolean
      proves: string
      options: JsonObject
      needs?: StepForScripts
    })

function stepForScripts(step: Step, options: Explanation['options']): StepForScripts {
  const { finished } = step
  if (step.kind !== 'lock') {
    const steps = step.steps.map((each) => stepForScripts(each, options))
    return step.kind === 'all' ? { all: steps, finished } : { any: steps, finished }
  }
  const { acceptor, tries, deadlineMs } = step.lock
  return {
    acceptor,
    finished,
    tries,
    deadlineMs,
    proves: PROVES[acceptor] ?? UNKNOWN,
    options: shownOptions(options.get(step.lock) ?? {}),
    ...(step.needs && { needs: stepForScripts(step.needs, options) }),
  }
}

function endForScripts(end: DryRunEnd) {
  if (end.kind === 'locked') return { outcome: 'locked' }
  if (end.kind === 'entered') return { outcome: 'entered', hears: end.hears }
  const { code, detail } = end.refusal
  return { outcome: 'refused', code: codeInfo(code).name, message: detail }
}
