/** A room's config as the command line gives it, by options or as a file. */
import { readFileSync } from 'node:fs'
import { create, fromJsonString, type MessageInitShape } from '@bufbuild/protobuf'
import type { Access, Flow, FlowSchema } from '@porthouse/proto/room/v1/access'
import { type BlockSchema, type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { Values } from '@porthouse/proto/room/v1/retained'
import { Owners } from '@porthouse/proto/room/v1/session_history'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { MASK, masksIn } from '../../rooms/config-secrets.ts'
import { EXIT, Failure, usage } from '../failure.ts'
import type { HistoryKind, RetainedKind, SlowPolicy } from './options.ts'

const POLICIES: Readonly<Record<SlowPolicy, Policy>> = {
  'drop-oldest': Policy.DROP_OLDEST,
  'drop-newest': Policy.DROP_NEWEST,
  conflate: Policy.CONFLATE,
  disconnect: Policy.DISCONNECT,
}

const KEEPS: Readonly<Record<HistoryKind, Keep>> = {
  none: Keep.NONE,
  window: Keep.WINDOW,
  durable: Keep.DURABLE,
}

const VALUES: Readonly<Record<RetainedKind, Values>> = { asked: Values.ASKED, all: Values.ALL }

export interface BlockOptions {
  /** A file with a Config as Protobuf JSON; the other options replace blocks of it. */
  readonly config?: string
  readonly open?: boolean
  readonly lock?: readonly string[]
  /** Of devices: each proves itself by token or SSH key, and a last value is kept (R21). */
  readonly devices?: boolean
  readonly echo?: boolean
  readonly slow?: SlowPolicy
  readonly history?: HistoryKind
  readonly sessionHistory?: boolean
  readonly retain?: RetainedKind
  readonly presence?: boolean
  /** Files with what its messages have to be. */
  readonly jsonSchema?: string
  readonly protobuf?: string
  /** Of those in the file `protobuf`. */
  readonly type?: string
}

type Kind = NonNullable<MessageInitShape<typeof BlockSchema>['kind']>

/** Throws a Failure of usage. */
export function roomConfig({ config: file, ...options }: BlockOptions): Config {
  const kinds = new Map<Kind['case'], Kind>()
  for (const { kind } of file ? readConfigFile(file).blocks : []) {
    if (kinds.has(kind.case)) throw usage(`${file} holds more than one block ${kind.case}`)
    kinds.set(kind.case, kind)
  }
  for (const kind of kindsOf(options)) kinds.set(kind.case, kind)
  return create(ConfigSchema, { blocks: [...kinds.values()].map((kind) => ({ kind })) })
}

/** The blocks that options stand for. */
function* kindsOf(options: BlockOptions): Iterable<Kind> {
  const { echo, slow, history, sessionHistory, presence } = options
  yield* accessOf(options)
  if (echo) yield { case: 'echo', value: { enabled: true } }
  if (slow) yield { case: 'slowConsumers', value: { policy: POLICIES[slow] } }
  yield* structureOf(options)
  if (history) yield { case: 'history', value: { keep: KEEPS[history] } }
  if (sessionHistory) yield { case: 'sessionHistory', value: { owners: Owners.ALL } }
  if (presence) yield { case: 'presence', value: { enabled: true } }
  const retain = options.retain ?? (options.devices ? 'asked' : undefined)
  if (retain) yield { case: 'retained', value: { values: VALUES[retain] } }
}

function* accessOf({ open, lock, devices }: BlockOptions): Iterable<Kind> {
  if (open && lock) throw usage('--open and --lock exclude each other: an open room has no lock')
  if (devices && (open || lock)) throw usage('--devices has locks of its own: not --open, --lock')
  if (open) yield { case: 'access', value: { locks: [] } }
  if (lock) yield { case: 'access', value: { locks: [...lock] } }
  if (devices) yield { case: 'access', value: { flow: anyOf('token', 'ssh-key') } }
}

function anyOf(...acceptors: string[]): MessageInitShape<typeof FlowSchema> {
  const flows = acceptors.map((acceptor) => ({
    kind: { case: 'lock' as const, value: { acceptor } },
  }))
  return { kind: { case: 'any', value: { flows } } }
}

function* structureOf({ jsonSchema, protobuf, type }: BlockOptions): Iterable<Kind> {
  if (jsonSchema && protobuf) throw usage('--json-schema and --protobuf exclude each other')
  if (!protobuf !== !type) throw usage('--protobuf FILE and --type NAME belong together')
  if (jsonSchema) {
    const schema = contentOf(jsonSchema).toString('utf8')
    yield { case: 'messages', value: { structure: { case: 'json', value: { schema } } } }
  }
  if (protobuf && type) {
    const value = { descriptorSet: new Uint8Array(contentOf(protobuf)), type }
    yield { case: 'messages', value: { structure: { case: 'protobuf', value } } }
  }
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new Failure('CONFIG', `${file} cannot be read: ${reasonOf(cause)}`, EXIT.usage, cause)
  }
}

/** Throws a Failure where a file holds no config. */
export function readConfigFile(file: string): Config {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw notConfig(file, cause)
  }
  return parseConfig(text, file)
}

/** Protobuf JSON. Throws a Failure that names where it is from. */
export function parseConfig(text: string, from: string): Config {
  let config: Config
  try {
    config = fromJsonString(ConfigSchema, text)
  } catch (cause) {
    throw notConfig(from, cause)
  }
  if (masksIn(config).length > 0) {
    throw usage(
      `${from} has ${MASK} in place of a secret; --reveal shows a config that can be set again`,
    )
  }
  return config
}

function notConfig(from: string, cause: unknown): Failure {
  const text = `${from} is not a room's config: ${reasonOf(cause)}`
  return new Failure('CONFIG', text, EXIT.usage, cause)
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/** Of the locks that guard a room of this config, as far as the config is in order. */
export function acceptorsIn({ blocks }: Config): string[] {
  const found = blocks.find(({ kind }) => kind.case === 'access')?.kind.value as Access | undefined
  if (!found) return ['token']
  return [...found.locks, ...(found.flow ? acceptorsOf(found.flow) : [])]
}

function acceptorsOf({ kind }: Flow): string[] {
  if (kind.case === 'lock') return [kind.value.acceptor]
  return kind.case === undefined ? [] : kind.value.flows.flatMap(acceptorsOf)
}
