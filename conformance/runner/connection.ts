/** What a script needs of a connection to a gateway; one implementation a transport. */
import type { JsonObject } from '@bufbuild/protobuf'
import type { Open, Raw } from '@porthouse/proto/conformance/v1/server_suite'
import type { Inbox } from './inbox.ts'
import type { Variables } from './template.ts'

export interface Connection {
  readonly inbox: Inbox
  /** What the gateway did that no gateway may do, beside what the case expects. */
  readonly violations: readonly string[]
  /** Sends frames as one packet, or as the transport has it; resolves when they are handed over. */
  send(frames: readonly JsonObject[]): Promise<void>
  raw(raw: Raw, variables: Variables): Promise<void>
  /** Resolves when a heartbeat has gone round: whatever the gateway sent before is in the inbox. */
  fence(withinMs: number): Promise<boolean>
  /** What of an expected frame this transport can tell; undefined: nothing of it ever comes. */
  tells(expected: JsonObject): JsonObject | undefined
  reading(how: { paused: boolean; silent: boolean }): void
  leave(how: { cut: boolean; drop: boolean }): Promise<void>
}

/** Where a gateway listens, and what this connection is of the case. */
export interface Dial {
  readonly httpUrl: string
  readonly mqttUrl: string
  /** WHO of the case. */
  readonly who: string
  readonly open: Open
  readonly variables: Variables
  readonly trace: (line: string) => void
  /** Bound of each wait. */
  readonly withinMs: number
}

/** The gateway did not do what the case expects. */
export class Unmet extends Error {}

/** Whether it was refused as the case expects; throws Unmet where neither. */
export type Opened = Connection | 'refused'
