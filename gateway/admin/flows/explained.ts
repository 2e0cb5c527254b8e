/** What a dry run found out, as the admin API tells it. */
import { create, type JsonObject } from '@bufbuild/protobuf'
import {
  type ExplainFlowResponse,
  ExplainFlowResponseSchema,
  FlowOutcome,
  type FlowStep,
  FlowStepSchema,
} from '@porthouse/proto/admin/v1/flow_service'
import type { Access, Flow as FlowConfig } from '@porthouse/proto/room/v1/access'
import { PROVES } from '../../locks/acceptors/proves.ts'
import type { LockShown, Step } from '../../locks/explain.ts'
import { type LockSpec, locksIn } from '../../locks/flow.ts'
import { shownOptions } from '../../rooms/config-secrets.ts'
import type { DryRun, DryRunEnd } from '../../session/entry/dry-run.ts'
import type { RoomRights } from '../../session/entry/membership.ts'
import type { Rights } from '../../store/store.ts'

/** `access`: of the room, which says the options of its locks. */
export function explained(
  run: DryRun,
  about: { readonly address: string; readonly as: string[]; readonly access?: Access | undefined },
): ExplainFlowResponse {
  const { steps, next, rights, visitors, end } = run
  const options = optionsOf(run, about.access)
  return create(ExplainFlowResponseSchema, {
    address: about.address,
    as: about.as,
    ...(steps && { flow: shownStep(steps, options) }),
    next: next.map(({ acceptor }) => acceptor),
    ...(rights && { rights: shownRights(rights) }),
    ...(visitors && { visitors: shownVisitors(visitors) }),
    ...shownEnd(end),
  })
}

type Options = ReadonlyMap<LockSpec, JsonObject>

/** As the config has them; those of locks that a lock needs stand in its own. */
function optionsOf({ flow }: DryRun, access: Access | undefined): Options {
  const written = optionsIn(access?.flow)
  const locks = flow ? locksIn(flow) : []
  return new Map(locks.map((lock, i) => [lock, written[i] ?? {}]))
}

/** In the order of `locksIn`. */
function optionsIn(flow: FlowConfig | undefined): JsonObject[] {
  if (flow?.kind.case === undefined) return []
  if (flow.kind.case === 'lock') return [flow.kind.value.options ?? {}]
  return flow.kind.value.flows.flatMap(optionsIn)
}

function shownStep(step: Step, options: Options): FlowStep {
  const { finished } = step
  if (step.kind === 'lock') {
    return create(FlowStepSchema, {
      finished,
      kind: { case: 'lock', value: shownLock(step, options) },
    })
  }
  const steps = step.steps.map((each) => shownStep(each, options))
  return create(FlowStepSchema, { finished, kind: { case: step.kind, value: { steps } } })
}

function shownLock({ lock, needs }: LockShown, options: Options) {
  const { acceptor, tries, deadlineMs } = lock
  return {
    acceptor,
    tries,
    deadlineMs,
    proves: PROVES[acceptor] ?? '',
    options: shownOptions(options.get(lock) ?? {}),
    ...(needs && { needs: shownStep(needs, options) }),
  }
}

function shownRights(rights: RoomRights) {
  const { senders, hears, mayAdmit: admit } = rights
  const sends = senders.flatMap(({ channels }) => (channels.length > 0 ? channels : ['']))
  return {
    send: sends.length > 0,
    receive: hears.length > 0,
    admit,
    // One that is of the room itself is of all its channels.
    sendChannels: sends.includes('') ? [] : [...new Set(sends)],
    receiveChannels: hears.includes('') ? [] : [...new Set(hears)],
  }
}

function shownVisitors({ send, receive, admit }: Rights) {
  return { send, receive, admit }
}

type End = Pick<ExplainFlowResponse, 'outcome' | 'code' | 'detail' | 'hears'>

function shownEnd(end: DryRunEnd): Partial<End> {
  switch (end.kind) {
    case 'locked':
      return { outcome: FlowOutcome.LOCKED }
    case 'entered':
      return { outcome: FlowOutcome.ENTERED, hears: [...end.hears] }
    case 'refused': {
      const { code, detail } = end.refusal
      return { outcome: FlowOutcome.REFUSED, code, detail }
    }
  }
}
