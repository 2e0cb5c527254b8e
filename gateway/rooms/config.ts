/** A room's config as its blocks say it, with the defaults of those that are absent (R19). */
import { type JsonObject, toBinary } from '@bufbuild/protobuf'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { type Fault, faultText, within } from '../locks/fault.ts'
import type { Flow } from '../locks/flow.ts'
import type { Acceptors, LockDefaults } from '../locks/read-flow.ts'
import type { PlaceConfig } from '../router/place-config.ts'
import type { WindowBounds } from '../router/window.ts'
import type { RetentionBounds } from '../store/history.ts'
import type { Rights } from '../store/store.ts'
import { checkAccess, readAccess } from './blocks/access.ts'
import { Blocks, type Kind, nameOf, type ValueOf } from './blocks/blocks.ts'
import { checkChannels, readChannels } from './blocks/channels.ts'
import { checkDefaultTarget, readDefaultTarget } from './blocks/default-target.ts'
import { readEcho } from './blocks/echo.ts'
import { checkFlushWindow, readFlushWindow } from './blocks/flush-window.ts'
import { checkGroups, readGroups } from './blocks/groups.ts'
import { checkHistory, readHistory } from './blocks/history.ts'
import { checkLimits, readLimits } from './blocks/limits.ts'
import { checkMessages, readMessages } from './blocks/messages.ts'
import { checkPresence, readPresence } from './blocks/presence.ts'
import { checkProgram, readProgram } from './blocks/program.ts'
import { checkRetained, readRetained } from './blocks/retained.ts'
import { checkRetention, readRetention } from './blocks/retention.ts'
import { checkSessionHistory, readSessionHistory } from './blocks/session-history.ts'
import { checkSlowConsumers, readSlowConsumers } from './blocks/slow-consumers.ts'
import { readTechnical } from './blocks/technical.ts'
import { checkUnread, readUnread } from './blocks/unread.ts'
import { lostIn } from './lost.ts'

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

/**
 * Throws an Error where it cannot be used: it was stored by a gateway with other acceptors, or with
 * kinds of blocks that this one does not know.
 */
export function readConfig(config: Config, flows: FlowReader): RoomConfig {
  if (config.blocks.some(({ kind }) => kind.case === undefined)) throw new Error(UNKNOWN)
  const blocks = new Blocks(config)
  return {
    blocks: config.blocks.map(({ kind }) => kind.case ?? ''),
    ...readAccess(blocks.of('access'), flows),
    ...readEcho(blocks.of('echo')),
    ...readSlowConsumers(blocks.of('slowConsumers')),
    ...readMessages(blocks.of('messages')),
    ...readHistory(blocks.of('history')),
    ...readRetention(blocks.of('retention')),
    ...readSessionHistory(blocks.of('sessionHistory')),
    ...readUnread(blocks.of('unread'), blocks),
    ...readPresence(blocks.of('presence')),
    ...readLimits(blocks.of('limits')),
    ...readDefaultTarget(blocks.of('defaultTarget')),
    ...readGroups(blocks.of('groups')),
    ...readChannels(blocks.of('channels')),
    ...readRetained(blocks.of('retained')),
    ...readProgram(blocks.of('program')),
    ...readTechnical(blocks.of('technical')),
    ...readFlushWindow(blocks.of('flushWindow')),
  }
}

/** Of a config as Protobuf. Its schemas, options and lists have bounds of their own beside it. */
const CONFIG_BYTES_MAX = 1_048_576

/** Told at once; of a config that is all wrong nobody reads more. */
const FAULTS_MAX = 100

/**
 * What is wrong with a config, the first 100 faults; none: it may be used. At most 1,048,576 bytes
 * of Protobuf.
 */
export function checkConfig(config: Config, flows: FlowReader): Fault[] {
  const lost = [...lostIn(config)]
  if (lost.length > 0) return lost.slice(0, FAULTS_MAX)
  const { length } = toBinary(ConfigSchema, config)
  if (length > CONFIG_BYTES_MAX) {
    return [{ path: '', reason: `a config of ${length} bytes is over ${CONFIG_BYTES_MAX}` }]
  }
  const blocks = new Blocks(config)
  const faults: Fault[] = []
  const seen = new Set<Kind>()
  for (const [i, { kind }] of config.blocks.entries()) {
    const path = `blocks[${i}]`
    if (faults.length >= FAULTS_MAX) break
    if (kind.case === undefined) faults.push({ path, reason: UNKNOWN })
    else if (seen.has(kind.case)) {
      faults.push({ path, reason: `two blocks of kind ${nameOf(kind.case)}` })
    } else {
      seen.add(kind.case)
      const check = CHECKS[kind.case] as Check<Kind>
      faults.push(...within(`${path}.${kind.case}`, check(kind.value, blocks, flows)))
    }
  }
  // Even the default may name a lock that is not here.
  if (!seen.has('access')) faults.push(...within('blocks', defaultAccess(flows)))
  return faults.slice(0, FAULTS_MAX)
}

function defaultAccess(flows: FlowReader): Fault[] {
  const text = Array.from(checkAccess(undefined, flows), faultText).join('; ')
  return text === '' ? [] : [{ path: '', reason: `without block access: ${text}` }]
}

const UNKNOWN = 'a block of no known kind'

/** What is wrong with a block, beside the others; paths are from the block on. */
type Check<K extends Kind> = (
  value: ValueOf<K>,
  blocks: Blocks,
  flows: FlowReader,
) => Iterable<Fault>

const anyValue = () => []

const CHECKS: { readonly [K in Kind]: Check<K> } = {
  access: (access, _, flows) => checkAccess(access, flows),
  echo: anyValue,
  slowConsumers: checkSlowConsumers,
  messages: checkMessages,
  history: checkHistory,
  retention: checkRetention,
  sessionHistory: checkSessionHistory,
  unread: checkUnread,
  presence: checkPresence,
  limits: checkLimits,
  defaultTarget: checkDefaultTarget,
  groups: checkGroups,
  channels: checkChannels,
  retained: checkRetained,
  program: checkProgram,
  technical: anyValue,
  flushWindow: checkFlushWindow,
}
