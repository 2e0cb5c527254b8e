/** A room's config from the options of `porthouse room create`. */
import { readFileSync } from 'node:fs'
import { create, fromJsonString, type MessageInitShape } from '@bufbuild/protobuf'
import {
  type BlockSchema,
  type Config,
  ConfigSchema,
  Policy,
} from '@porthouse/proto/room/v1/config'
import { EXIT, Failure, usage } from './failure.ts'
import { LOCKS, type SlowPolicy } from './room-options.ts'

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

/** Throws a Failure of usage.  */
export function roomConfig({ config: file, open, lock, echo, slow }: BlockOptions): Config {
  if (open && lock) throw usage('--open and --lock exclude each other: an open room has no lock')
  const kinds = new Map<Kind['case'], Kind>()
  const put = (kind: Kind) => kinds.set(kind.case, kind)
  for (const { kind } of file ? readConfig(file).blocks : []) {
    if (kinds.has(kind.case)) throw usage(`${file} holds more than one block ${kind.case}`)
    put(kind)
  }
  if (open) put({ case: 'access', value: { locks: [] } })
  if (lock) put({ case: 'access', value: { locks: [...lock] } })
  if (echo) put({ case: 'echo', value: { enabled: true } })
  if (slow) put({ case: 'slowConsumers', value: { policy: POLICIES[slow] } })
  return create(ConfigSchema, { blocks: [...kinds.values()].map((kind) => ({ kind })) })
}

function readConfig(file: string): Config {
  let config: Config
  try {
    config = fromJsonString(ConfigSchema, readFileSync(file, 'utf8'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('CONFIG', `${file} is not a room's config: ${reason}`, EXIT.usage, cause)
  }
  for (const { kind } of config.blocks) {
    if (!kind.case) throw usage(`${file} holds a block of no kind`)
    const unknown = kind.case === 'access' && kind.value.locks.find((lock) => !LOCKS.includes(lock))
    if (unknown) throw usage(`${file} names the lock ${unknown}; allowed is ${LOCKS.join(', ')}`)
  }
  return config
}
