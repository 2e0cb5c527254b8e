/** A room's config as the command line gives it, by options or as a file. */
import { readFileSync } from 'node:fs'
import { create, fromJsonString, type MessageInitShape } from '@bufbuild/protobuf'
import { type BlockSchema, type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { checkConfig, type FlowReader } from '../rooms/config.ts'
import { EXIT, Failure, usage } from './failure.ts'
import type { SlowPolicy } from './room-options.ts'
import { isMasked, MASK } from './room-secrets.ts'

const POLICIES: Readonly<Record<SlowPolicy, Policy>> = {
  'drop-oldest': Policy.DROP_OLDEST,
  'drop-newest': Policy.DROP_NEWEST,
  conflate: Policy.CONFLATE,
  disconnect: Policy.DISCONNECT,
}

export interface BlockOptions {
  /** A file with a Config as Protobuf JSON; the other options replace blocks of it. */
  readonly config?: string
  readonly open?: boolean
  readonly lock?: readonly string[]
  readonly echo?: boolean
  readonly slow?: SlowPolicy
}

type Kind = NonNullable<MessageInitShape<typeof BlockSchema>['kind']>

/** Throws a Failure of usage. */
export function roomConfig({ config: file, open, lock, echo, slow }: BlockOptions): Config {
  if (open && lock) throw usage('--open and --lock exclude each other: an open room has no lock')
  const kinds = new Map<Kind['case'], Kind>()
  const put = (kind: Kind) => kinds.set(kind.case, kind)
  for (const { kind } of file ? readConfigFile(file).blocks : []) {
    if (kinds.has(kind.case)) throw usage(`${file} holds more than one block ${kind.case}`)
    put(kind)
  }
  if (open) put({ case: 'access', value: { locks: [] } })
  if (lock) put({ case: 'access', value: { locks: [...lock] } })
  if (echo) put({ case: 'echo', value: { enabled: true } })
  if (slow) put({ case: 'slowConsumers', value: { policy: POLICIES[slow] } })
  return create(ConfigSchema, { blocks: [...kinds.values()].map((kind) => ({ kind })) })
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
  if (isMasked(config)) {
    throw usage(
      `${from} has ${MASK} in place of a secret; --reveal shows a config that can be set again`,
    )
  }
  return config
}

function notConfig(from: string, cause: unknown): Failure {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Failure('CONFIG', `${from} is not a room's config: ${reason}`, EXIT.usage, cause)
}

/** Throws a Failure that names every fault of a config; `byOptions`: of no file. */
export function checkUsable(config: Config, reader: FlowReader, byOptions = false): void {
  const faults = checkConfig(config, reader)
  if (faults.length === 0) return
  const next = 'options of a lock stand in a file: --config FILE; docs/acceptors shows one of each'
  const told = byOptions && faults.some((fault) => fault.includes(': options.'))
  throw new Failure('CONFIG', [...faults, ...(told ? [next] : [])].join('\n'), EXIT.usage)
}
