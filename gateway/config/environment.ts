/** What the environment says. Nothing else in the gateway reads it. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { baseFolder, VARIABLES } from './client.ts'
import { nearest } from './nearest.ts'
import type { Problem } from './problem.ts'
import { type Found, KEYS } from './tree.ts'

/** Names that are kept stable and do not follow from the key. */
const NAMED: Record<string, string> = {
  'http.listen': 'PORTHOUSE_HTTP',
  'mqtt.listen': 'PORTHOUSE_MQTT',
  databaseUrl: 'DATABASE_URL',
}

/** `limbo.deadlineMs` is PORTHOUSE_LIMBO_DEADLINE_MS. */
export function variableOf(key: string): string {
  return NAMED[key] ?? `PORTHOUSE_${key.replace(/\.|(?=[A-Z])/g, '_').toUpperCase()}`
}

/**
 * The settings in `env`; an empty variable counts as unset. One of our prefix that looks like a
 * slip of the pen is a problem; other unknown ones are left alone, since orchestrators set their
 * own under a service's name.
 */
export function fromEnvironment(env: NodeJS.ProcessEnv, problems: Problem[]): [string, Found][] {
  const keys = new Map(KEYS.map((key) => [variableOf(key), key]))
  const known = [...keys.keys(), ...Object.values(VARIABLES)]
  const found: [string, Found][] = []
  for (const [name, value] of Object.entries(env)) {
    const key = keys.get(name)
    if (key && value) found.push([key, { value, source: name }])
    if (!name.startsWith('PORTHOUSE_') || known.includes(name)) continue
    const meant = nearest(name, known, 2)
    if (meant) problems.push({ text: `${name} is not a setting; did you mean ${meant}?` })
  }
  return found
}

/** The data folder where none is set: in a clone, else where the XDG base directories put it. */
export function defaultData(env: NodeJS.ProcessEnv): string {
  const clone = cloneRoot()
  if (clone) return join(clone, '.porthouse')
  return join(baseFolder(env.XDG_DATA_HOME, '.local/share'), 'porthouse')
}

/** The folder of the clone that this file runs in, if it does. */
export function cloneRoot(): string | undefined {
  const root = resolve(import.meta.dirname, '../..')
  return existsSync(join(root, 'bin/porthouse')) && existsSync(join(root, 'proto'))
    ? root
    : undefined
}
