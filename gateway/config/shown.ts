/** Settings in force, as a config file would have them, without their secrets. */
import type { Config } from './config.ts'
import { shown } from './problem.ts'
import { formatEndpoint } from './setting.ts'
import { KEYS, valueAt } from './tree.ts'

/** By dotted key; null where one is not set. */
export function shownSettings(config: Config): [key: string, value: unknown][] {
  return KEYS.map((key) => {
    const value = asWritten(valueAt(config, key))
    return [key, value === undefined ? null : JSON.parse(shown(key, value))]
  })
}

function asWritten(value: unknown): unknown {
  const endpoint = value as { host?: unknown } | undefined
  return endpoint?.host ? formatEndpoint(value as Parameters<typeof formatEndpoint>[0]) : value
}
