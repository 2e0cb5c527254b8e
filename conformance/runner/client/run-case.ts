/** One case of the client mode: a reference gateway for it alone, and what the client did. */
import { create, type JsonValue, toJson } from '@bufbuild/protobuf'
import type { ClientCase } from '@porthouse/proto/conformance/v1/client_suite'
import {
  type Action,
  ClientRequestSchema,
  type Outcome,
  OutcomeSchema,
} from '@porthouse/proto/conformance/v1/peer'
import type { Transport } from '@porthouse/proto/conformance/v1/transport'
import { mismatch, templateOf, Variables } from '../template.ts'
import { type ClientProcess, PeerFailed } from './client-process.ts'
import { ReferenceGateway } from './reference-gateway.ts'

/** Of an action that does not say its own. */
const WITHIN_MS = 5000
/** For a busy machine, beside what the actions may take. */
const GRACE_MS = 5000
/** What the client sends last may come after it has told that it is closed. */
const AFTERWARDS_MS = 5000

export interface CaseRun {
  /** For the client's own log. */
  readonly name: string
  readonly case: ClientCase
  readonly transport: Transport
}

export interface CaseResult {
  /** Empty: it passed. */
  readonly failures: readonly string[]
  readonly trace: readonly string[]
}

/** Throws nothing: a peer that fails is a failure of the case, and the peer is ended. */
export async function runCase(
  peer: ClientProcess,
  run: CaseRun,
  graceMs = GRACE_MS,
): Promise<CaseResult> {
  const { name, case: theCase, transport } = run
  const began = performance.now()
  const trace: string[] = []
  const variables = new Variables()
  const gateway = await ReferenceGateway.start({
    theCase,
    transport,
    variables,
    trace: (line) => trace.push(`${(performance.now() - began).toFixed().padStart(6)} ${line}`),
  })
  const failures: string[] = []
  try {
    const { url } = gateway
    // What the gateway is called in what is signed: the origin that was dialled.
    variables.set('origin', url.replace('ws', 'http'))
    const actions = theCase.client
    const request = create(ClientRequestSchema, { case: name, url, transport, actions })
    const { outcomes } = await peer.ask(request, boundOf(actions) + graceMs)
    trace.push(...outcomes.map((outcome) => `told ${JSON.stringify(told(outcome))}`))
    failures.push(...outcomeFailures(theCase, outcomes, variables))
    await Promise.race([gateway.finished, later(AFTERWARDS_MS)])
  } catch (error) {
    if (!(error instanceof PeerFailed)) throw error
    failures.push(error.message)
  } finally {
    await gateway.stop()
  }
  if (gateway.waitsFor) failures.push(gateway.waitsFor)
  const stderr = peer.takeStderr()
  if (stderr) trace.push(...stderr.trimEnd().split('\n'))
  return { failures: [...gateway.failures, ...failures], trace }
}

function outcomeFailures(
  { client, outcomes: expected }: ClientCase,
  outcomes: readonly Outcome[],
  variables: Variables,
): string[] {
  if (outcomes.length !== client.length) {
    return [`the peer tells ${outcomes.length} outcomes of ${client.length} actions`]
  }
  return client.flatMap(({ does }, i) => {
    const template = expected[i]
    const why = template && mismatch(templateOf(template), told(outcomes[i]!), variables, does.case)
    return why ? [`action ${i + 1}: ${why}`] : []
  })
}

const told = (outcome: Outcome): JsonValue => toJson(OutcomeSchema, outcome)

/** The longest that a client may take over all of them. */
function boundOf(actions: readonly Action[]): number {
  return actions.reduce((sum, { withinMs }) => sum + (withinMs || WITHIN_MS), 0)
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
