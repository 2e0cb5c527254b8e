/** Secrets that stand in a room's config, in the options of its locks: masked where it is shown. */
import { fromJson, type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'

/** No secret: a config that holds it is one that was shown, and cannot be used. */
export const MASK = '***'

/** `secret` of a webhook, `client_secret` of an OpenID client, and what plugins call so. */
const SECRET = /(^|_)secret$/

/** A config as Protobuf JSON. */
export function shownJson(config: Config, reveal = false): JsonObject {
  const json = toJson(ConfigSchema, config)
  return (reveal ? json : masked(json)) as JsonObject
}

/** A config with masks in it. */
export function shownConfig(config: Config, reveal = false): Config {
  return reveal ? config : fromJson(ConfigSchema, shownJson(config))
}

/** Options of one lock, for a reader. */
export function shownOptions(options: JsonObject): JsonObject {
  return masked(options) as JsonObject
}

/** With a mask for every value whose name is a secret's. */
export function masked(value: JsonValue, secret = SECRET): JsonValue {
  if (Array.isArray(value)) return value.map((each) => masked(each, secret))
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).map(([name, each]): [string, JsonValue] =>
    secret.test(name) ? [name, MASK] : [name, masked(each, secret)],
  )
  return Object.fromEntries(entries)
}

/** Paths of the secrets that are masks, in Protobuf JSON. */
export function masksIn(config: Config): string[] {
  return [...masksBelow(toJson(ConfigSchema, config), '')]
}

function* masksBelow(value: JsonValue, path: string): Iterable<string> {
  if (value === null || typeof value !== 'object') return
  for (const [name, each] of Object.entries(value)) {
    const isItem = Array.isArray(value)
    const inner = isItem ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    if (!isItem && SECRET.test(name)) {
      if (each === MASK) yield inner
    } else yield* masksBelow(each, inner)
  }
}
