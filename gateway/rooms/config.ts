/** A room's config as its blocks say it, with the defaults of those that are absent (R19). */
import { create, type JsonObject } from '@bufbuild/protobuf'
import { AccessSchema } from '@porthouse/proto/room/v1/access'
import type { Block, Config } from '@porthouse/proto/room/v1/config'
import { Policy, PolicySchema } from '@porthouse/proto/room/v1/slow_consumers'
import type { Flow } from '../locks/flow.ts'
import { type Acceptors, type LockDefaults, readAccess } from '../locks/read-flow.ts'
import type { PlaceConfig } from '../router/place.ts'
import type { RetentionBounds } from '../store/history.ts'
import type { Rights } from '../store/store.ts'

export interface RoomConfig extends PlaceConfig {
  /** What guards it; undefined: nothing, the room is open. */
  readonly flow: Flow | undefined
  /** What those may do whose locks gave them no rights of their own. */
  readonly visitors: Rights
  /** The config says what visitors may do, so that whoever resolves the locks may do it. */
  readonly visited: boolean
  readonly history: HistoryConfig
  readonly retention: RetentionBounds
  readonly sessionHistory: SessionHistoryConfig | undefined
  /** Whether cursors are kept. */
  readonly unread: boolean
  readonly presence: PresenceConfig | undefined
  readonly groups: readonly GroupConfig[]
  readonly retained: RetainedConfig | undefined
  readonly program: ProgramConfig | undefined
  /** Sockets up to which they hear who comes and goes; undefined: as the gateway's config says. */
  readonly technicalSockets: number | undefined
}

export interface HistoryConfig {
  readonly keep: 'none' | 'window' | 'durable'
  /** Of what is kept in memory, whichever bound is met first. */
  readonly window: WindowBounds
}

export interface WindowBounds {
  readonly messages: number
  readonly bytes: number
  readonly ageMs: number
}

export interface SessionHistoryConfig {
  readonly owners: 'asked' | 'all'
  readonly messages: number
  readonly bytes: number
  readonly overflow: 'oldest' | 'reject'
}

export interface PresenceConfig {
  readonly members: number
  readonly intervalMs: number
}

export interface GroupConfig {
  readonly name: string
  /** Slugs or UUIDs. */
  readonly clients: readonly string[]
  readonly open: boolean
  readonly delivery: 'all' | 'one'
}

export interface RetainedConfig {
  readonly values: 'asked' | 'all'
  readonly channels: number
  readonly bytes: number
}

export interface ProgramConfig {
  readonly module: string
  readonly options: JsonObject
  readonly budgetMs: number
  readonly otherwise: 'reject' | 'pass'
}

/** How the flows of a config are read. */
export interface FlowReader {
  readonly acceptors: Acceptors
  readonly defaults: LockDefaults
}

const DEFAULT_ACCESS = create(AccessSchema, { locks: ['token'] })
const DEFAULT_VISITORS = { send: true, receive: true, admit: false }

/** Throws an Error where it cannot be used: it was stored by a gateway with other acceptors. */
export function readConfig({ blocks }: Config, { acceptors, defaults }: FlowReader): RoomConfig {
  const access = block(blocks, 'access') ?? DEFAULT_ACCESS
  const { send, receive, admit } = access.visitors ?? DEFAULT_VISITORS
  return {
    flow: readAccess(access, acceptors, defaults),
    visitors: { send, receive, admit, channels: [] },
    visited: access.visitors !== undefined,
    echo: block(blocks, 'echo')?.enabled ?? false,
    slowConsumers: block(blocks, 'slowConsumers')?.policy || Policy.DISCONNECT,
  }
}

/** What is wrong with a config, one sentence each; none: it may be used. */
export function checkConfig({ blocks }: Config, { acceptors, defaults }: FlowReader): string[] {
  const faults: string[] = []
  const seen = new Set<string>()
  for (const { kind } of blocks) {
    if (kind.case === undefined) faults.push('a block of no known kind')
    else if (seen.has(kind.case)) faults.push(`two blocks of kind ${kind.case}`)
    else seen.add(kind.case)
  }
  try {
    readAccess(block(blocks, 'access') ?? DEFAULT_ACCESS, acceptors, defaults)
  } catch (error) {
    faults.push(`access: ${error instanceof Error ? error.message : error}`)
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
