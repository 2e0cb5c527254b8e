/** A flow as a room's config or an acceptor's options write it, read and checked (R18). */
import { fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf'
import { type Access, type Flow as FlowConfig, FlowSchema } from '@porthouse/proto/room/v1/access'
import type { Acceptor } from './acceptor.ts'
import type { Flow, LockSpec } from './flow.ts'

/** What a lock has that says nothing else. */
export interface LockDefaults {
  readonly tries: number
  readonly deadlineMs: number
}

export type Acceptors = ReadonlyMap<string, Acceptor>

/** Locks of one flow, and groups within groups. */
const LOCKS_MAX = 16
const GROUPS_MAX = 4
const TRIES_MAX = 100
const DEADLINE_MS_MAX = 600_000

/** Throws an Error that says, for the admin, what is wrong. */
export function readFlow(flow: FlowConfig, acceptors: Acceptors, defaults: LockDefaults): Flow {
  let locks = 0
  return read(flow, 0)

  function read({ kind }: FlowConfig, depth: number): Flow {
    if (depth > GROUPS_MAX) throw new Error(`groups nested over ${GROUPS_MAX} deep`)
    if (kind.case === undefined) throw new Error('neither lock, all nor any')
    if (kind.case === 'lock') {
      if (++locks > LOCKS_MAX) throw new Error(`over ${LOCKS_MAX} locks`)
      return { kind: 'lock', lock: readLock(kind.value, acceptors, defaults) }
    }
    const flows = kind.value.flows.map((each) => read(each, depth + 1))
    if (flows.length === 0) throw new Error(`an empty group "${kind.case}"`)
    return { kind: kind.case, flows }
  }
}

/** The same from Protobuf JSON, for flows within an acceptor's options. */
export function readFlowJson(json: unknown, acceptors: Acceptors, defaults: LockDefaults): Flow {
  return readFlow(fromJson(FlowSchema, json as JsonValue), acceptors, defaults)
}

/** What guards a room; undefined: nothing, it is open. */
export function readAccess(
  { locks, flow }: Pick<Access, 'locks' | 'flow'>,
  acceptors: Acceptors,
  defaults: LockDefaults,
): Flow | undefined {
  if (flow && locks.length > 0) throw new Error('both locks and a flow')
  if (flow) return readFlow(flow, acceptors, defaults)
  if (locks.length === 0) return undefined
  if (locks.length > LOCKS_MAX) throw new Error(`over ${LOCKS_MAX} locks`)
  const flows = locks.map((acceptor): Flow => {
    const named = { acceptor, tries: 0, deadlineMs: 0 }
    return { kind: 'lock', lock: readLock(named, acceptors, defaults) }
  })
  return flows.length === 1 ? flows[0] : { kind: 'all', flows }
}

function readLock(
  lock: { acceptor: string; tries: number; deadlineMs: number; options?: JsonObject | undefined },
  acceptors: Acceptors,
  defaults: LockDefaults,
): LockSpec {
  const acceptor = acceptors.get(lock.acceptor)
  if (!acceptor) {
    const known = [...acceptors.keys()].sort().join(', ')
    throw new Error(`no acceptor ${lock.acceptor}; known: ${known}`)
  }
  if (lock.tries > TRIES_MAX) throw new Error(`${lock.acceptor}: over ${TRIES_MAX} tries`)
  if (lock.deadlineMs > DEADLINE_MS_MAX) {
    throw new Error(`${lock.acceptor}: a deadline over ${DEADLINE_MS_MAX} ms`)
  }
  return {
    acceptor: lock.acceptor,
    tries: lock.tries || defaults.tries,
    deadlineMs: lock.deadlineMs || defaults.deadlineMs,
    options: optionsOf(acceptor, lock.options ?? {}),
    key: `${lock.acceptor} ${JSON.stringify(lock.options ?? {})}`,
  }
}

function optionsOf(acceptor: Acceptor, options: JsonObject): unknown {
  try {
    return acceptor.readOptions(options)
  } catch (error) {
    throw new Error(`${acceptor.name}: ${error instanceof Error ? error.message : error}`)
  }
}
