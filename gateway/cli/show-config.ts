/** `porthouse config`: the effective settings, and where each is from. */
import { shownSettings } from '../config/shown.ts'
import { printJson, printTable } from './output.ts'
import { type RunOptions, readSettings } from './settings.ts'

export function showConfig({ json, ...options }: RunOptions & { json?: boolean }): void {
  const { config, sources } = readSettings(options)
  const rows = shownSettings(config).map(([key, value]) => {
    return { key, value, source: sources.get(key)! }
  })
  if (json) return printJson(Object.fromEntries(rows.map(({ key, ...row }) => [key, row])))
  printTable(
    ['setting', 'value', 'source'],
    rows.map(({ key, value, source }) => [key, value === null ? '-' : asText(value), source]),
  )
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
