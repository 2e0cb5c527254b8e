/**
 * Reads the settings from where they may stand and makes one Config of them.
 * Precedence: given by the program, flag, environment, file, default.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { VARIABLES } from './client.ts'
import { type Config, type Settings, schema } from './config.ts'
import { defaultData, fromEnvironment } from './environment.ts'
import { ConfigError, type Problem, problemsOf } from './problem.ts'
import { type Found, flatten, isTree, KEYS, put, type Tree } from './tree.ts'

/** Flags of `porthouse run`, and what they set. */
export const FLAGS = {
  http: 'http.listen',
  mqtt: 'mqtt.listen',
  data: 'data',
  features: 'features',
  log: 'log',
  demo: 'demo',
} as const

export type Flags = { readonly [Flag in keyof typeof FLAGS]?: string | boolean }

export interface Sources {
  /** For programs that embed the gateway. */
  readonly settings?: Settings
  readonly flags?: Flags
  /** A JSON file; else the one that PORTHOUSE_CONFIG names, else none. */
  readonly file?: string
  readonly env?: NodeJS.ProcessEnv
}

export interface Loaded {
  readonly config: Config
  /** For each key where its value is from: a flag, a variable, a file or `default`. */
  readonly sources: ReadonlyMap<string, string>
}

/** Throws a ConfigError that names each wrong key, its value and what is allowed. */
export function loadConfig({
  settings,
  flags = {},
  file,
  env = process.env,
}: Sources = {}): Loaded {
  const problems: Problem[] = []
  const found = new Map<string, Found>([['data', { value: defaultData(env), source: 'default' }]])
  const path = file ?? env[VARIABLES.file]
  const layers = [
    path ? fromFile(path, problems) : [],
    fromEnvironment(env, problems),
    fromFlags(flags),
    flatten(settings ?? {}, 'the program', problems),
  ]
  for (const [key, value] of layers.flat()) found.set(key, value)
  const tree: Tree = {}
  for (const [key, { value, source }] of found) {
    const folder = path && source === path ? dirname(path) : '.'
    put(
      tree,
      key,
      key === 'data' && typeof value === 'string' && value ? resolve(folder, value) : value,
    )
  }
  const parsed = schema.safeParse(tree)
  problems.push(...problemsOf(parsed, found))
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  const sources = new Map(KEYS.map((key) => [key, found.get(key)?.source ?? 'default']))
  return { config: freeze(parsed.data), sources }
}

function fromFile(path: string, problems: Problem[]): [string, Found][] {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError([{ text: `the config file ${path} cannot be read: ${reason}` }], cause)
  }
  if (!isTree(content))
    throw new ConfigError([{ text: `the config file ${path} must hold a JSON object` }])
  return flatten(content, path, problems)
}

function fromFlags(flags: Flags): [string, Found][] {
  return Object.entries(FLAGS).flatMap(([flag, key]): [string, Found][] => {
    const value = flags[flag as keyof Flags]
    return value === undefined ? [] : [[key, { value, source: `--${flag}` }]]
  })
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    Object.values(Object.freeze(value)).forEach(freeze)
  return value
}
