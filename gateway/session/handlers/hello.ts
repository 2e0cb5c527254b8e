/** Hello: agree on version and capabilities, tell the socket its address and the bounds (PH-4). */
import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type Hello, HelloSchema, type Limits, LimitsSchema } from '@porthouse/proto/v1/frame'
import { Refusal } from '../../protocol/codes.ts'
import {
  AGENT_BYTES_MAX,
  CAPABILITIES_MAX,
  CAPABILITY_BYTES_MAX,
  CHANNEL_BYTES_MAX,
  CHANNEL_LEVELS_MAX,
  LOCK_DEPTH_MAX,
  NAME_BYTES_MAX,
} from '../../protocol/limits.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import type { SessionOptions } from '../core.ts'
import { RESUME_CAPABILITY } from '../identity/resume.ts'
import type { Session } from '../session.ts'
import { EVENTS_CAPABILITY } from '../technical/technical.ts'
import { decode } from './decode.ts'

/** Highest minor version of porthouse.v1 that this gateway speaks. */
const MINOR_VERSION = 0

/** Optional behaviour that this gateway has. */
const CAPABILITIES: ReadonlySet<string> = new Set([RESUME_CAPABILITY, EVENTS_CAPABILITY])

export function handleHello(session: Session, frame: ScannedFrame): void {
  const hello = decode(HelloSchema, frame)
  if (Buffer.byteLength(hello.agent) > AGENT_BYTES_MAX) {
    throw new Refusal(Code.NAME_TOO_LONG, `agent is over ${AGENT_BYTES_MAX} bytes`)
  }
  const long = hello.capabilities.some((name) => Buffer.byteLength(name) > CAPABILITY_BYTES_MAX)
  if (long || hello.capabilities.length > CAPABILITIES_MAX) {
    throw new Refusal(
      Code.NAME_TOO_LONG,
      `over ${CAPABILITIES_MAX} capabilities, or one over ${CAPABILITY_BYTES_MAX} bytes`,
    )
  }
  const known = hello.capabilities.filter((name) => CAPABILITIES.has(name))
  session.capabilities = capabilitiesOf([...session.capabilities, ...known])
  if (hello.resume === '') return welcome(session, frame.id, hello, false)
  const { id } = frame
  const resumed = session.core.resumes.take(session, hello.resume).catch((error) => {
    // What cannot be read again is not believed; the client has its answers.
    session.core.log.warn({ socket: session.id, err: error }, 'not resumed')
    return false
  })
  session.wait(resumed.then((taken) => welcome(session, id, hello, taken)))
}

/** One set for all who have the same: of few, so all of these are few. */
const capabilitySets = new Map<string, ReadonlySet<string>>()

function capabilitiesOf(names: readonly string[]): ReadonlySet<string> {
  const all = new Set(names)
  const key = [...all].sort().join()
  const known = capabilitySets.get(key) ?? all
  capabilitySets.set(key, known)
  return known
}

function welcome(session: Session, frameId: number, hello: Hello, resumed: boolean): void {
  const { options, clock, resumes } = session.core
  session.send(frameId, {
    case: 'welcome',
    value: {
      minorVersion: Math.min(hello.minorVersion, MINOR_VERSION),
      capabilities: [...session.capabilities],
      socket: session.address,
      limits: limitsOf(options),
      heartbeatMs: options.heartbeatMs,
      timeMs: BigInt(clock()),
      resumed,
    },
  })
  resumes.offer(session)
}

/** The same for all sockets, so it is made once. */
const toldLimits = new WeakMap<SessionOptions, Limits>()

function limitsOf(options: SessionOptions): Limits {
  const told = toldLimits.get(options)
  if (told) return told
  const limits = create(LimitsSchema, {
    ...options.limits,
    nameBytes: NAME_BYTES_MAX,
    channelBytes: CHANNEL_BYTES_MAX,
    channelLevels: CHANNEL_LEVELS_MAX,
    lockDepth: LOCK_DEPTH_MAX,
  })
  toldLimits.set(options, limits)
  return limits
}
