/** Secrets that stand in a room's config, in the options of its locks: masked where it is shown. */
import { type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'

/** No secret: a config that holds it is one that was shown, and cannot be used. */
export const MASK = '***'

/** `secret` of a webhook, `client_secret` of an OpenID client, and what plugins call so. */
const SECRET = /(^|_)secret$/

/** A config as Protobuf JSON. */
export function shownConfig(config: Config, reveal = false): JsonObject {
  const json = toJson(ConfigSchema, config)
  return (reveal ? json : masked(json)) as JsonObject
}

/** Options of one lock, for a reader. */
export function shownOptions(options: JsonObject): JsonObject {
  return masked(options) as JsonObject
}

function masked(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(masked)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).map(([name, each]): [string, JsonValue] =>
    SECRET.test(name) ? [name, MASK] : [name, masked(each)],
  )
  return Object.fromEntries(entries)
}

/** Whether a secret of the config is a mask. */
export function isMasked(config: Config): boolean {
  return holdsMask(toJson(ConfigSchema, config))
}

function holdsMask(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(holdsMask)
  if (value === null || typeof value !== 'object') return false
  return Object.entries(value).some(([name, each]) =>
    SECRET.test(name) ? each === MASK : holdsMask(each),
  )
}
