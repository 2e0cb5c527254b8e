/** One metric: what it is called, what it means, and what it is read from when it is scraped. */
import type { Config } from '../../config/config.ts'
import type { Connections } from '../../ingress/connections.ts'
import type { MqttParts } from '../../ingress/mqtt/parts.ts'
import type { Core } from '../../session/core.ts'
import type { Sessions } from '../../session/sessions.ts'
import type { Calls } from '../calls.ts'
import type { Distribution } from '../distribution.ts'

/** Where all of it is. */
export interface Measured {
  readonly config: Config
  readonly core: Core
  readonly sessions: Sessions
  readonly connections: Connections
  /** Undefined where MQTT is off. */
  readonly mqtt: MqttParts | undefined
  readonly store: Calls
}

/** Labels have values of tables of ours, and never what somebody else has named (L11). */
export type Labels = Readonly<Record<string, string>>

export interface Sample<Value = number> {
  readonly value: Value
  readonly labels?: Labels
}

interface Described {
  /** Units are the base ones: seconds, bytes. */
  readonly name: `porthouse_${string}`
  readonly help: string
  readonly labels?: readonly string[]
}

export interface Numbers extends Described {
  readonly type: 'counter' | 'gauge'
  readonly read: (of: Measured) => Iterable<Sample>
}

export interface Distributions extends Described {
  readonly type: 'histogram'
  readonly read: (of: Measured) => Iterable<Sample<Distribution>>
}

export type Family = Numbers | Distributions

/** A metric of one number. */
export function single(
  type: Numbers['type'],
  name: Numbers['name'],
  help: string,
  read: (of: Measured) => number,
): Numbers {
  return { type, name, help, read: (of) => [{ value: read(of) }] }
}
