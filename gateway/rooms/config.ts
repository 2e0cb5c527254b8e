/** A room's config as its blocks say it, with the defaults of those that are absent (R19). */
import { type Block, type Config, Policy, PolicySchema } from '@porthouse/proto/room/v1/config'
import type { PlaceConfig } from '../router/place.ts'

export interface RoomConfig extends PlaceConfig {
  /** Acceptors to get in by, in order; none: the room is open. */
  readonly locks: readonly string[]
}

/** Acceptors that a room may name. */
export const ACCEPTORS = ['token'] as const

export function readConfig({ blocks }: Config): RoomConfig {
  return {
    locks: block(blocks, 'access')?.locks ?? ['token'],
    echo: block(blocks, 'echo')?.enabled ?? false,
    slowConsumers: block(blocks, 'slowConsumers')?.policy || Policy.DISCONNECT,
  }
}

/** What is wrong with a config, one sentence each; none: it may be used. */
export function checkConfig({ blocks }: Config): string[] {
  const faults: string[] = []
  const seen = new Set<string>()
  for (const { kind } of blocks) {
    if (kind.case === undefined) faults.push('a block of no known kind')
    else if (seen.has(kind.case)) faults.push(`two blocks of kind ${kind.case}`)
    else seen.add(kind.case)
  }
  for (const lock of block(blocks, 'access')?.locks ?? []) {
    if (!(ACCEPTORS as readonly string[]).includes(lock)) {
      faults.push(`access.locks: no acceptor ${lock}; known: ${ACCEPTORS.join(', ')}`)
    }
  }
  const policy = block(blocks, 'slowConsumers')?.policy
  if (policy !== undefined && !PolicySchema.values.some((value) => value.number === policy)) {
    faults.push(`slow_consumers.policy: no policy ${policy}`)
  }
  return faults
}

type Kind = NonNullable<Block['kind']['case']>
type Value<K extends Kind> = Extract<Block['kind'], { case: K }>['value']

function block<K extends Kind>(blocks: readonly Block[], kind: K): Value<K> | undefined {
  return blocks.find((candidate) => candidate.kind.case === kind)?.kind.value as
    | Value<K>
    | undefined
}
