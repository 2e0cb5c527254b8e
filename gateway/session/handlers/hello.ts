/** Hello: agree on version and capabilities, tell the socket its address and the bounds (PH-4). */
import { Code } from '@porthouse/proto/v1/code'
import { HelloSchema } from '@porthouse/proto/v1/frame'
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
import type { Session } from '../session.ts'
import { decode } from './decode.ts'

/** Highest minor version of porthouse.v1 that this gateway speaks. */
const MINOR_VERSION = 0

/** Optional behaviour that this gateway has; none exists yet. */
const CAPABILITIES: ReadonlySet<string> = new Set()

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
  const { options, clock } = session.core
  session.send(frame.id, {
    case: 'welcome',
    value: {
      minorVersion: Math.min(hello.minorVersion, MINOR_VERSION),
      capabilities: hello.capabilities.filter((name) => CAPABILITIES.has(name)),
      socket: session.address,
      limits: {
        ...options.limits,
        nameBytes: NAME_BYTES_MAX,
        channelBytes: CHANNEL_BYTES_MAX,
        channelLevels: CHANNEL_LEVELS_MAX,
        lockDepth: LOCK_DEPTH_MAX,
      },
      heartbeatMs: options.heartbeatMs,
      timeMs: BigInt(clock()),
    },
  })
}
