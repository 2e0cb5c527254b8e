/** A flow as a room's config or an acceptor's options write it, read and checked (R18). */
import { fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf'
import { type Access, type Flow as FlowConfig, FlowSchema } from '@porthouse/proto/room/v1/access'
import type { Acceptor } from './acceptor.ts'
import { type Fault, Faults, thrown, within } from './fault.ts'
import type { Flow, LockSpec } from './flow.ts'

/** What a lock has that says nothing else. */
export interface LockDefaults {
  readonly tries: number
  readonly deadlineMs: number
}

export type Acceptors = ReadonlyMap<string, Acceptor>

/** Locks of one flow, and groups within groups. */
const LOCKS_MAX = 16
const TOO_MANY = `over ${LOCKS_MAX} locks`
const GROUPS_MAX = 4
const TRIES_MAX = 100
const DEADLINE_MS_MAX = 600_000

/** Throws Faults, of which `at` is where the flow itself stands. */
export function readFlow(
  flow: FlowConfig,
  acceptors: Acceptors,
  defaults: LockDefaults,
  at = '',
): Flow {
  const faults: Fault[] = []
  let locks = 0
  const read = readAt(flow, '', 0)
  if (read && faults.length === 0) return read
  throw new Faults(within(at, faults))

  function readAt({ kind }: FlowConfig, path: string, depth: number): Flow | undefined {
    if (depth > GROUPS_MAX) return wrong(path, `groups nested over ${GROUPS_MAX} deep`)
    if (kind.case === undefined) return wrong(path, 'neither lock, all nor any')
    const inner = path === '' ? kind.case : `${path}.${kind.case}`
    if (kind.case === 'lock') {
      if (++locks > LOCKS_MAX) return locks > LOCKS_MAX + 1 ? undefined : wrong('', TOO_MANY)
      const { lock, faults: own } = readLock(kind.value, acceptors, defaults)
      faults.push(...within(inner, own))
      return lock && { kind: 'lock', lock }
    }
    const { flows } = kind.value
    if (flows.length === 0) return wrong(inner, `an empty group "${kind.case}"`)
    const parts = flows.map((each, i) => readAt(each, `${inner}.flows[${i}]`, depth + 1))
    return { kind: kind.case, flows: parts.filter((part) => part !== undefined) }
  }

  function wrong(path: string, reason: string): undefined {
    faults.push({ path, reason })
  }
}

/** The same from Protobuf JSON, for flows within an acceptor's options. */
export function readFlowJson(
  json: unknown,
  acceptors: Acceptors,
  defaults: LockDefaults,
  at?: string,
): Flow {
  return readFlow(fromJson(FlowSchema, json as JsonValue), acceptors, defaults, at)
}

/** What guards a room; undefined: nothing, it is open. Throws Faults. */
export function readAccess(
  { locks, flow }: Pick<Access, 'locks' | 'flow'>,
  acceptors: Acceptors,
  defaults: LockDefaults,
): Flow | undefined {
  if (flow && locks.length > 0) throw new Faults([{ path: '', reason: 'both locks and a flow' }])
  if (flow) return readFlow(flow, acceptors, defaults, 'flow')
  if (locks.length === 0) return undefined
  if (locks.length > LOCKS_MAX) throw new Faults([{ path: 'locks', reason: TOO_MANY }])
  const read = locks.map((acceptor) =>
    readLock({ acceptor, tries: 0, deadlineMs: 0 }, acceptors, defaults),
  )
  const faults = read.flatMap(({ faults: own }, i) =>
    own.map((fault) => named(fault, locks[i]!, i)),
  )
  if (faults.length > 0) throw new Faults(faults)
  const flows = read.flatMap(({ lock }): Flow[] => (lock ? [{ kind: 'lock', lock }] : []))
  return flows.length === 1 ? flows[0] : { kind: 'all', flows }
}

/** A lock that is named alone stands at one place, whatever is wrong with it. */
function named({ path, reason }: Fault, lock: string, i: number): Fault {
  const own = path === 'acceptor' ? reason : `${lock}: ${path}: ${reason}`
  return { path: `locks[${i}]`, reason: own }
}

interface ReadLock {
  /** Absent: there are faults. */
  readonly lock?: LockSpec
  readonly faults: readonly Fault[]
}

function readLock(
  lock: { acceptor: string; tries: number; deadlineMs: number; options?: JsonObject | undefined },
  acceptors: Acceptors,
  defaults: LockDefaults,
): ReadLock {
  const acceptor = acceptors.get(lock.acceptor)
  if (!acceptor) {
    const known = [...acceptors.keys()].sort().join(', ')
    return {
      faults: [{ path: 'acceptor', reason: `no acceptor ${lock.acceptor}; known: ${known}` }],
    }
  }
  let options: unknown
  const faults = [
    ...atMost('tries', lock.tries, TRIES_MAX),
    ...atMost('deadlineMs', lock.deadlineMs, DEADLINE_MS_MAX),
    ...optionFaults(() => {
      options = acceptor.readOptions(lock.options ?? {})
    }),
  ]
  if (faults.length > 0) return { faults }
  const { tries, deadlineMs } = lock
  const read = {
    acceptor: lock.acceptor,
    tries: tries || defaults.tries,
    deadlineMs: deadlineMs || defaults.deadlineMs,
    options,
    key: `${lock.acceptor} ${JSON.stringify(lock.options ?? {})}`,
  }
  return { lock: read, faults }
}

function atMost(path: string, value: number, max: number): Fault[] {
  return value > max ? [{ path, reason: `${value} is over ${max}` }] : []
}

/** Those that say no place are of the options as a whole. */
function optionFaults(read: () => void): Fault[] {
  return thrown('', read).map(({ path, reason }) => ({ path: path || 'options', reason }))
}
