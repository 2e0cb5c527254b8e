/** The lock dance, as --trace shows it: what is asked for, and never what it is answered with. */
import {
  type Answer,
  type Challenge,
  type LockStep,
  Outcome,
  type Verdict,
} from '@porthouse/proto/v1/lock_step'
import { HIDDEN, nameOf, unknownAs, wordOf } from './words.ts'

export function stepParts({ lock, step }: LockStep): string[] {
  switch (step.case) {
    case 'challenge':
      return ['challenge', lock, ...challengeParts(step.value)]
    case 'answer':
      return ['answer', lock, step.value.acceptor, responsePart(step.value.response)]
    case 'verdict':
      return ['verdict', lock, ...verdictParts(step.value)]
    default:
      return unknownAs('lock step')
  }
}

function challengeParts({ acceptor, place, depth, triesLeft, deadlineMs, others, ask }: Challenge) {
  const choice = [acceptor, ...others].join(' or ')
  const bounds = [`depth ${depth}`, `tries ${triesLeft}`, `${deadlineMs} ms`]
  return [choice, place && `for ${place}`, ...bounds, askPart(ask)]
}

function askPart(ask: Challenge['ask']): string {
  switch (ask.case) {
    case 'nonce':
      return `nonce of ${ask.value.nonce.length} bytes`
    case 'scram':
      return `scram with ${ask.value.iterations} rounds`
    case 'prompts':
      return `prompts ${ask.value.prompts.map(({ text }) => JSON.stringify(text)).join(', ')}`
    case 'visit':
      return `visit ${ask.value.url}`
    case 'data':
      return `data of ${ask.value.length} bytes`
    default:
      return ''
  }
}

function responsePart(response: Answer['response']): string {
  switch (response.case) {
    case 'text':
    case 'data':
      return `${response.case} ${HIDDEN}`
    case 'signature':
      return `signature of ${response.value.client} for ${response.value.gateway} ${HIDDEN}`
    case 'scramStart':
      return `scram start of ${response.value.key} for ${response.value.gateway}`
    case 'scramProof':
      return `scram proof ${HIDDEN}`
    case 'responses':
      return `responses ${response.value.values.map(() => HIDDEN).join(', ')}`
    default:
      return 'chosen'
  }
}

function verdictParts({ outcome, code, triesLeft, values }: Verdict): string[] {
  const proved = Object.entries(values).map(([name, value]) =>
    name === 'server_signature' ? `${name}=${HIDDEN}` : `${name}=${value}`,
  )
  return [wordOf(Outcome, outcome), nameOf(code), triesPart(triesLeft), ...proved]
}

function triesPart(left: number): string {
  return left === 0 ? '' : `tries ${left}`
}
