/**
 * The templates of a case: JSON with variables to fill in, and JSON that is expected, held against
 * what came. server_suite.proto has the language.
 */
import { type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf'
import { type Value, ValueSchema } from '@bufbuild/protobuf/wkt'

/** What a case knows by name: its account, secrets, what it saved on the way. */
export class Variables {
  readonly #values = new Map<string, JsonValue>()

  constructor(values: Readonly<Record<string, JsonValue>> = {}) {
    this.learn(values)
  }

  learn(values: Readonly<Record<string, JsonValue>>): void {
    for (const [name, value] of Object.entries(values)) this.set(name, value)
  }

  /** Those that are texts. */
  get texts(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.#values].filter((one): one is [string, string] => typeof one[1] === 'string'),
    )
  }

  set(name: string, value: JsonValue): void {
    this.#values.set(name, value)
  }

  /** `name`, or a sum such as `limits.payloadBytes + 1`. */
  value(expression: string): JsonValue {
    const [, name = '', sign, number] = /^([\w.:-]+?)(?:\s*([+-])\s*(\d+))?$/.exec(expression) ?? []
    const value = this.#values.get(name)
    if (value === undefined) throw new TypeError(`nothing is known as \${${expression}}`)
    if (!sign) return value
    const added = BigInt(String(value)) + BigInt(`${sign}${number}`)
    return typeof value === 'number' ? Number(added) : String(added)
  }
}

/** The JSON that a case has as a template. */
export function templateOf(value: Value): JsonValue {
  return toJson(ValueSchema, value)
}

/** The template with its variables filled in. Throws a TypeError where one is not known. */
export function fill(template: JsonValue, variables: Variables): JsonValue {
  if (typeof template === 'string') return fillText(template, variables)
  if (Array.isArray(template)) return template.flatMap((item) => fillItem(item, variables))
  if (!isObject(template)) return template
  if ('$fill' in template) return filler(fill(template.$fill!, variables))
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => [
      String(fillText(key, variables)),
      fill(value, variables),
    ]),
  )
}

function fillText(text: string, variables: Variables): JsonValue {
  const whole = /^\$\{([^{}]+)\}$/.exec(text)
  if (whole) return variables.value(whole[1]!)
  return text.replaceAll(/\$\{([^{}]+)\}/g, (_, name: string) => String(variables.value(name)))
}

/** Of a list, `{$each: {times: n, item: template}}` stands for n items, which know their `${i}`. */
function fillItem(item: JsonValue, variables: Variables): JsonValue[] {
  if (!isObject(item) || !isObject(item.$each ?? null)) return [fill(item, variables)]
  const { times, item: one } = item.$each as { times: JsonValue; item: JsonValue }
  return Array.from({ length: Number(fill(times, variables)) }, (_, i) => {
    variables.set('i', i)
    return fill(one, variables)
  })
}

/** A list that is expected, with each `$each` in it as the items that it stands for. */
export function spread(items: readonly JsonValue[], variables: Variables): JsonValue[] {
  return items.flatMap((item) =>
    isObject(item) && '$each' in item ? fillItem(item, variables) : [item],
  )
}

/** So many bytes of a text, as text or, for a field of bytes, as base64. */
function filler(asked: JsonValue): string {
  const { text = 'x', bytes, base64 = false } = asked as Record<string, JsonValue>
  const size = Number(bytes)
  const filled = Buffer.alloc(size, String(text))
  return base64 ? filled.toString('base64') : filled.toString()
}

/**
 * Why `actual` is not what is expected, with the path to where; undefined if it is. What `$save`
 * names is known to `variables` from then on.
 */
export function mismatch(
  expected: JsonValue,
  actual: JsonValue | undefined,
  variables: Variables,
  path = '',
): string | undefined {
  if (isObject(expected)) {
    const [operator] = Object.keys(expected).filter((key) => key.startsWith('$'))
    if (operator) return operate(operator, expected[operator]!, { actual, variables, path })
    return objectMismatch(expected, actual, variables, path)
  }
  if (Array.isArray(expected)) return listMismatch(expected, actual, variables, path)
  const wanted = fill(expected, variables)
  if (isObject(wanted) || Array.isArray(wanted)) return mismatch(wanted, actual, variables, path)
  const isSame = actual === undefined ? isDefault(wanted) : String(actual) === String(wanted)
  return isSame ? undefined : differs(path, wanted, actual)
}

function objectMismatch(
  expected: JsonObject,
  actual: JsonValue | undefined,
  variables: Variables,
  path: string,
): string | undefined {
  if (!isObject(actual ?? null)) return differs(path, expected, actual)
  for (const [name, value] of Object.entries(expected)) {
    const key = String(fillText(name, variables))
    const why = mismatch(value, (actual as JsonObject)[key], variables, `${path}.${key}`)
    if (why) return why
  }
  return undefined
}

function listMismatch(
  expected: readonly JsonValue[],
  actual: JsonValue | undefined,
  variables: Variables,
  path: string,
): string | undefined {
  const there = actual ?? []
  if (!Array.isArray(there)) return differs(path, [...expected], actual)
  const wanted = spread(expected, variables)
  if (there.length !== wanted.length) {
    return `${path} has ${there.length} items, not ${wanted.length}: ${show(there)}`
  }
  for (const [i, item] of wanted.entries()) {
    const why = mismatch(item, there[i], variables, `${path}[${i}]`)
    if (why) return why
  }
  return undefined
}

interface Operand {
  readonly actual: JsonValue | undefined
  readonly variables: Variables
  readonly path: string
}

function operate(operator: string, argument: JsonValue, operand: Operand): string | undefined {
  const act = OPERATORS[operator]
  if (!act) throw new TypeError(`no operator ${operator}`)
  return act(argument, operand)
}

const OPERATORS: Record<string, (argument: JsonValue, operand: Operand) => string | undefined> = {
  $any: (_, { actual, path }) => (actual === undefined ? `${path} is absent` : undefined),
  $absent: (_, { actual, path }) =>
    actual === undefined ? undefined : `${path} is there: ${show(actual)}`,
  $save: (name, { actual, variables, path }) => {
    if (actual === undefined) return `${path} is absent`
    variables.set(String(name), actual)
    return undefined
  },
  $match: (pattern, { actual, variables, path }) =>
    new RegExp(String(fill(pattern, variables))).test(String(actual))
      ? undefined
      : `${path} does not match ${pattern}: ${show(actual)}`,
  $above: (bound, { actual, variables, path }) =>
    BigInt(String(actual ?? 0)) > BigInt(String(fill(bound, variables)))
      ? undefined
      : `${path} is not above ${fill(bound, variables)}: ${show(actual)}`,
  $not: (other, { actual, variables, path }) =>
    mismatch(other, actual, variables, path) ? undefined : `${path} is ${show(actual)}`,
  $oneOf: (choices, { actual, variables, path }) => {
    const whys = (choices as JsonValue[]).map((one) => mismatch(one, actual, variables, path))
    return whys.every(Boolean) ? whys.join('; nor: ') : undefined
  },
  $set: (items, operand) => setMismatch(items as JsonValue[], operand),
}

function setMismatch(items: JsonValue[], { actual, variables, path }: Operand) {
  const left = [...((actual ?? []) as JsonValue[])]
  if (left.length !== items.length) {
    return `${path} has ${left.length} items, not ${items.length}: ${show(left)}`
  }
  for (const item of items) {
    const at = left.findIndex((one) => mismatch(item, one, variables, path) === undefined)
    if (at < 0) return `${path} has no ${show(item)}: ${show(actual)}`
    left.splice(at, 1)
  }
  return undefined
}

/** What Protobuf JSON leaves out. */
function isDefault(value: JsonValue): boolean {
  return value === 0 || value === '0' || value === false || value === '' || value === null
}

export function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function differs(path: string, wanted: JsonValue, actual: JsonValue | undefined): string {
  return `${path || 'it'} is ${show(actual)}, not ${show(wanted)}`
}

/** As a person reads it, cut where it is long. */
export function show(value: JsonValue | undefined): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
