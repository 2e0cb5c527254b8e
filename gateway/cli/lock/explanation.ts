/** What `porthouse lock explain` found out, for people and for scripts. */
import type { JsonObject } from '@bufbuild/protobuf'
import {
  type ExplainFlowResponse,
  type FlowLock,
  FlowOutcome,
  type FlowRights,
  type FlowStep,
} from '@porthouse/proto/admin/v1/flow_service'
import type { Rights } from '@porthouse/proto/room/v1/access'
import { codeInfo } from '../../protocol/codes.ts'
import { harmless, print, printTable } from '../output.ts'

const UNKNOWN = 'see its page'

export function printExplanation(explanation: ExplainFlowResponse): void {
  const { address, as, flow, next, rights, visitors } = explanation
  print(`${address}, as ${as.length > 0 ? as.join(', ') : 'nobody'}`)
  print('')
  if (flow) {
    const heading = ['lock', 'state', 'tries', 'seconds', 'proves', 'options']
    printTable(heading, rowsOf(flow, next, 0))
    print('')
  }
  if (rights) print(`rights inside, by this: ${rightsText(rights)}`)
  if (flow && visitors) print(`rights of a visitor: ${rightsText(visitors)}`)
  print(endText(explanation))
}

/** `next`: acceptors of which one would ask now. */
function rowsOf({ kind, finished }: FlowStep, next: readonly string[], depth: number): string[][] {
  const indent = '  '.repeat(depth)
  const done = finished ? 'finished' : ''
  if (kind.case !== 'lock') {
    const steps = kind.value?.steps ?? []
    const within = steps.flatMap((each) => rowsOf(each, next, depth + 1))
    return [[`${indent}${kind.case} of`, done], ...within]
  }
  const { acceptor, tries, deadlineMs, proves, needs, options } = kind.value
  const state = done || (next.includes(acceptor) ? 'asked now' : '')
  const cells = [state, String(tries), String(deadlineMs / 1000), proves || UNKNOWN]
  const row = [`${indent}${acceptor}`, ...cells, optionsText(options)]
  if (!needs) return [row]
  return [row, [`${indent}  needs`], ...rowsOf(needs, next, depth + 2)]
}

function optionsText(options: JsonObject = {}): string {
  return Object.keys(options).length > 0 ? harmless(JSON.stringify(options)) : ''
}

/** Of a visitor they are for all channels. */
function rightsText({ send, receive, admit, ...rights }: FlowRights | Rights): string {
  const { sendChannels, receiveChannels } = { ...NO_CHANNELS, ...rights }
  const words = [
    ...(send ? [`send${within(sendChannels)}`] : []),
    ...(receive ? [`receive${within(receiveChannels)}`] : []),
    ...(admit ? ['admit'] : []),
  ]
  return words.length > 0 ? words.join(', ') : 'none'
}

const NO_CHANNELS = { sendChannels: [], receiveChannels: [] }

function within(channels: readonly string[]): string {
  return channels.length > 0 ? ` (${channels.join(', ')})` : ''
}

function endText({ outcome, next, code, detail, hears }: ExplainFlowResponse): string {
  switch (outcome) {
    case FlowOutcome.LOCKED:
      return `it would wait at: ${next.join(' or ')}`
    case FlowOutcome.ENTERED:
      return `it would be in, ${hearsText(hears)}`
    default:
      return `it would be refused: ${codeInfo(code).name}: ${harmless(detail)}`
  }
}

function hearsText(hears: readonly string[]): string {
  if (hears.length === 0) return 'to send only'
  return `and hear ${hears.map((filter) => filter || 'all of it').join(', ')}`
}

export function explanationForScripts(explanation: ExplainFlowResponse) {
  const { address, as, flow, next, rights, visitors } = explanation
  return {
    address,
    as,
    steps: flow ? stepForScripts(flow) : null,
    next,
    ...(rights && { rights: rightsForScripts(rights) }),
    ...(visitors && { visitors: visitorsForScripts(visitors) }),
    end: endForScripts(explanation),
  }
}

function rightsForScripts({ sendChannels, receiveChannels, ...rights }: FlowRights) {
  return {
    ...visitorsForScripts(rights),
    ...(sendChannels.length > 0 && { sendChannels }),
    ...(receiveChannels.length > 0 && { receiveChannels }),
  }
}

function visitorsForScripts({ send, receive, admit }: Pick<Rights, 'send' | 'receive' | 'admit'>) {
  return { send, receive, admit }
}

function stepForScripts({ kind, finished }: FlowStep): JsonObject {
  switch (kind.case) {
    case 'lock':
      return lockForScripts(kind.value, finished)
    case 'all':
      return { all: kind.value.steps.map(stepForScripts), finished }
    default:
      return { any: (kind.value?.steps ?? []).map(stepForScripts), finished }
  }
}

function lockForScripts({ needs, proves, options = {}, ...lock }: FlowLock, finished: boolean) {
  const { acceptor, tries, deadlineMs } = lock
  return {
    acceptor,
    finished,
    tries,
    deadlineMs,
    proves: proves || UNKNOWN,
    options,
    ...(needs && { needs: stepForScripts(needs) }),
  }
}

function endForScripts({ outcome, hears, code, detail }: ExplainFlowResponse) {
  if (outcome === FlowOutcome.LOCKED) return { outcome: 'locked' }
  if (outcome === FlowOutcome.ENTERED) return { outcome: 'entered', hears }
  return { outcome: 'refused', code: codeInfo(code).name, message: detail }
}
