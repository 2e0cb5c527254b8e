/** What is wrong with a config, and where in it, so that an editor can show it at its place. */
import { Refusal } from '../protocol/codes.ts'

export interface Fault {
  /** In Protobuf JSON, for instance `any.flows[1].lock.acceptor`; empty: the whole. */
  readonly path: string
  /** For the admin. */
  readonly reason: string
}

/** All that is wrong with what was read; its message is for the admin as well. */
export class Faults extends Error {
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(faults.map(faultText).join('; '))
    this.name = 'Faults'
    this.faults = faults
  }
}

export function faultText({ path, reason }: Fault): string {
  return path === '' ? reason : `${path}: ${reason}`
}

/** The same faults, told from further out. */
export function within(path: string, faults: Iterable<Fault>): Fault[] {
  return Array.from(faults, ({ path: inner, reason }) => ({ path: joined(path, inner), reason }))
}

/** What a reader throws, told from `path`; nothing where it reads. */
export function thrown(path: string, read: () => unknown): Fault[] {
  try {
    read()
    return []
  } catch (error) {
    return within(path, error instanceof Faults ? error.faults : [{ path: '', reason: why(error) }])
  }
}

function joined(outer: string, inner: string): string {
  return outer === '' || inner === '' ? outer + inner : `${outer}.${inner}`
}

function why(error: unknown): string {
  if (error instanceof Refusal) return error.detail
  return error instanceof Error ? error.message : String(error)
}
