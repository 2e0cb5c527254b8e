/** A socket before a lock, as an acceptor sees it, and steps that are easy to expect. */
import type { Ask, LockContext, LockStep, Place } from '../../gateway/locks/acceptor.ts'
import type { Proof } from '../../gateway/locks/proof.ts'
import { codeInfo } from '../../gateway/protocol/codes.ts'

export const GATEWAY = 'https://hub.example'
export const SOCKET = 'socket:abcdefgh234567ab'
export const BOILER: Place = { address: 'room:acme/boiler', account: 'acme', room: 'boiler' }

interface Facts<Options> extends Partial<Omit<LockContext<Options>, 'socket' | 'place'>> {
  /** `undefined`: the main lobby. */
  readonly place?: Place | undefined
  /** UUID of the client in the URL. */
  readonly client?: string
  readonly address?: string
}

export function contextOf<Options>(facts: Facts<Options> = {}): LockContext<Options> {
  const { client, address = SOCKET, ...rest } = facts
  return {
    options: undefined as Options,
    place: BOILER,
    lock: 'abcdefgh234567ab',
    proofs: [],
    values: {},
    socket: { address, handshake: { remote: '192.0.2.1', headers: {} }, ...(client && { client }) },
    now: 1_000_000,
    signal: new AbortController().signal,
    ...rest,
  }
}

/** The proof, or the name of the code in place of it. */
export function outcomeOf(step: LockStep): Proof | string {
  if (step.outcome === 'passed') return step.proof
  return 'code' in step ? codeInfo(step.code).name : step.outcome
}

/** What a challenge asks, and the state that goes with the answer. */
export function asked<Case extends Ask['case']>(
  step: LockStep,
  kind: Case,
): { ask: Extract<Ask, { case: Case }>; state: unknown } {
  if (step.outcome !== 'challenge') throw new Error(`no challenge: ${outcomeOf(step)}`)
  if (step.ask.case !== kind) throw new Error(`asks ${step.ask.case}, not ${kind}`)
  return { ask: step.ask as Extract<Ask, { case: Case }>, state: step.state }
}
