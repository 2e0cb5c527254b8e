/** `porthouse config`: the effective settings, and where each is from. */
import { shown } from '../config/problem.ts'
import { formatEndpoint } from '../config/setting.ts'
import { KEYS, valueAt } from '../config/tree.ts'
import { printJson, printTable } from './output.ts'
import { type RunOptions, readSettings } from './settings.ts'

export function showConfig({ json, ...options }: RunOptions & { json?: boolean }): void {
  const { config, sources } = readSettings(options)
  const rows = KEYS.map((key) => {
    const value = asWritten(valueAt(config, key))
    return {
      key,
      value: value === undefined ? null : JSON.parse(shown(key, value)),
      source: sources.get(key)!,
    }
  })
  if (json) return printJson(Object.fromEntries(rows.map(({ key, ...row }) => [key, row])))
  printTable(
    ['setting', 'value', 'source'],
    rows.map(({ key, value, source }) => [key, value === null ? '-' : asText(value), source]),
  )
}

/** As a config file would have it. */
function asWritten(value: unknown): unknown {
  const endpoint = value as { host?: unknown } | undefined
  return endpoint?.host ? formatEndpoint(value as Parameters<typeof formatEndpoint>[0]) : value
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
