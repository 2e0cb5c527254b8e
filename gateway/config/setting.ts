/**
 * The kinds of settings. Each takes its own type or the text of it, so that one spelling means the
 * same in a file, in the environment and as a flag; each says in `meta` what is allowed and what it
 * means.
 */
import { z } from 'zod'

export interface SettingMeta {
  /** What a value must be, as the end of "allowed is …". */
  readonly allowed: string
  readonly meaning: string
}

/** Where a listener binds. */
export interface Endpoint {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

/** 2^31 - 1: more overflows a Node timer, and is more memory than a bound should allow. */
const WHOLE_MAX = 0x7fff_ffff

export function count(fallback: number, min: number, meaning: string, max = WHOLE_MAX) {
  return whole(fallback, min, 'a whole number', meaning, max)
}

export function bytes(fallback: number, min: number, meaning: string) {
  return whole(fallback, min, 'a whole number of bytes', meaning)
}

export function ms(fallback: number, min: number, meaning: string) {
  return whole(fallback, min, 'a whole number of milliseconds', meaning)
}

/** Where a protocol counts in seconds. */
export function seconds(fallback: number, min: number, meaning: string, max = WHOLE_MAX) {
  return whole(fallback, min, 'a whole number of seconds', meaning, max)
}

function whole(fallback: number, min: number, what: string, meaning: string, max = WHOLE_MAX) {
  return z
    .preprocess((raw) => (isText(raw, /^-?\d+$/) ? Number(raw) : raw), z.int().min(min).max(max))
    .default(fallback)
    .meta({ allowed: `${what} from ${min} to ${max}`, meaning })
}

export function bool(fallback: boolean, meaning: string) {
  return z
    .preprocess(
      (raw) => (isText(raw, /^(true|1)$/) ? true : isText(raw, /^(false|0)$/) ? false : raw),
      z.boolean(),
    )
    .default(fallback)
    .meta({ allowed: 'true or false', meaning })
}

export function choice<const Names extends readonly string[]>(
  names: Names,
  fallback: Names[number],
  meaning: string,
) {
  return z
    .enum(names)
    .default(fallback as never)
    .meta({ allowed: `one of ${names.join(', ')}`, meaning })
}

/** As text: the items with commas between, or nothing for an empty list. */
export function list<Item extends z.ZodType<string>>(
  item: Item,
  fallback: z.output<Item>[],
  allowed: string,
  meaning: string,
) {
  return z
    .preprocess((raw) => (typeof raw === 'string' ? split(raw) : raw), z.array(item))
    .default(fallback as never)
    .meta({ allowed: `a list of ${allowed}`, meaning })
}

/** As text: HOST:PORT, with an IPv6 address in brackets. */
export function endpoint(fallback: string, meaning: string) {
  return z
    .string()
    .transform((raw, context): Endpoint => {
      const parsed = parseEndpoint(raw)
      if (parsed) return parsed
      context.addIssue('not an endpoint')
      return z.NEVER
    })
    .prefault(fallback)
    .meta({
      allowed: 'HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:8080 or [::1]:8080',
      meaning,
    })
}

/** As text: HOST:PORT, or `off` for a listener that is not wanted. */
export function listener(fallback: string, meaning: string) {
  const off = z.literal('off')
  const { allowed } = endpoint(fallback, meaning).meta() as unknown as SettingMeta
  return z
    .union([off, endpoint(fallback, meaning)])
    .prefault(fallback)
    .meta({ allowed: `${allowed}; or off`, meaning })
}

export function text(allowed: string, meaning: string) {
  return z.string().min(1).meta({ allowed, meaning })
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function parseEndpoint(raw: string): Endpoint | undefined {
  const match = /^(?:\[([\da-fA-F:.]+(?:%\w+)?)\]|([\w.-]+)):(\d{1,5})$/.exec(raw)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host && port <= 65_535 ? { host, port } : undefined
}

function isText(raw: unknown, shape: RegExp): raw is string {
  return typeof raw === 'string' && shape.test(raw)
}

/** The items of a list that is written as text. */
export function split(raw: string): string[] {
  return raw
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
