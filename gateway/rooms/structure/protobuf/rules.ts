/**
 * Rules of fields as buf.validate has them. Its library is loaded for the first room that has any,
 * for it takes a good part of a second and most gateways never need it. Expressions of one's own
 * (CEL) are refused: nothing bounds what they may take.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { create, type DescField, fromBinary, getOption } from '@bufbuild/protobuf'
import type { Path } from '@bufbuild/protobuf/reflect'
import type { FieldRules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js'
import { Budget } from '../budget.ts'
import { contentInvalid, misfit, shown } from '../misfit.ts'
import { Pattern } from '../pattern.ts'
import type { MessageType } from './descriptors.ts'
import { DECODED_MAX } from './scan.ts'

/** Number of the options of buf.validate, for messages, oneofs and fields alike. */
const OPTION = 1159

/** Patterns in all rules, and values in one list. */
const PATTERNS_MAX = 64
const LISTED_MAX = 100

/** `values`: how many it has. Throws Refusal CONTENT_INVALID. */
export type Rules = (bytes: Uint8Array, values: number) => void

type Library = typeof import('@bufbuild/protovalidate')
type Options = typeof import('@bufbuild/protovalidate/gen/buf/validate/validate_pb.js')

/** Undefined: it has none. Throws an Error, for an admin, where they cannot be used. */
export function readRules({ type, types }: MessageType): Rules | undefined {
  const ruled = types.flatMap((each) => [each, ...each.fields, ...each.oneofs])
  if (!ruled.some(({ proto }) => hasRules(proto.options))) return undefined
  const { createValidator } = load<Library>('@bufbuild/protovalidate')
  const patterns = readPatterns(types)
  let budget = new Budget(0)
  const regexMatch = (source: string, text: string) => {
    // The library has a few of its own.
    const pattern = patterns.get(source) ?? new Pattern(source)
    patterns.set(source, pattern)
    return pattern.matches(text, budget)
  }
  const validator = createValidator({ failFast: true, regexMatch })
  // The library reads the rules of all types within with the first message.
  const first = validator.validate(type, create(type))
  if (first.kind === 'error') throw new Error(`descriptor_set: ${shown(first.error.message, 200)}`)
  return (bytes, values) => {
    if (values > DECODED_MAX) throw contentInvalid(misfit(`over ${DECODED_MAX} values`))
    budget = new Budget(bytes.length)
    const { kind, error, violations } = validator.validate(
      type,
      fromBinary(type, bytes, { readUnknownFields: false }),
    )
    if (kind === 'valid') return
    const [violation] = violations ?? []
    if (!violation) throw error?.cause ?? contentInvalid(misfit('its rules cannot be checked'))
    const path = violation.field.map(partOf).reverse()
    throw contentInvalid({ path, reason: violation.message || violation.ruleId })
  }
}

interface HasUnknown {
  readonly $unknown?: readonly { readonly no: number }[] | undefined
}

function hasRules(options: HasUnknown | undefined): boolean {
  return options?.$unknown?.some(({ no }) => no === OPTION) ?? false
}

/** Where the library is loaded from is the same as with an import, so that there is one of it. */
function load<Module>(name: string): Module {
  return createRequire(import.meta.url)(fileURLToPath(import.meta.resolve(name)))
}

/** Refuses what has no bound on the way. */
function readPatterns(types: MessageType['types']): Map<string, Pattern> {
  const patterns = new Map<string, Pattern>()
  const options = load<Options>('@bufbuild/protovalidate/gen/buf/validate/validate_pb.js')
  for (const type of types) {
    const { cel, celExpression } = getOption(type, options.message)
    if (cel.length + celExpression.length > 0) throw expressions(type)
    for (const field of type.fields) read(getOption(field, options.field), field)
  }
  if (patterns.size > PATTERNS_MAX) throw new Error(`descriptor_set: over ${PATTERNS_MAX} patterns`)
  return patterns

  function read(rules: FieldRules, field: DescField): void {
    if (rules.cel.length + rules.celExpression.length > 0) throw expressions(field)
    const { value } = rules.type
    if (!value) return
    if ((value as HasUnknown).$unknown) throw fault(field, 'rules that buf.validate does not have')
    for (const list of ['in', 'notIn']) {
      const listed = (value as Record<string, unknown>)[list]
      if (Array.isArray(listed) && listed.length > LISTED_MAX) {
        throw fault(field, `over ${LISTED_MAX} values in a list`)
      }
    }
    if ('pattern' in value && value.pattern) addPattern(value.pattern, field)
    if ('unique' in value && value.unique && field.message) {
      throw fault(field, 'messages are not compared, unique is for numbers and texts')
    }
    for (const part of ['items', 'keys', 'values']) {
      const inner = (value as Record<string, unknown>)[part]
      if (inner) read(inner as FieldRules, field)
    }
  }

  function addPattern(source: string, field: DescField): void {
    try {
      if (!patterns.has(source)) patterns.set(source, new Pattern(source))
    } catch (error) {
      throw fault(field, error instanceof Error ? error.message : String(error))
    }
  }
}

function expressions(where: object): Error {
  return fault(where, 'expressions (cel) are not taken, only the rules of buf.validate itself')
}

function fault(where: object, reason: string): Error {
  return new Error(`descriptor_set: ${shown(String(where), 80)}: ${reason}`)
}

function partOf(part: Path[number]): string | number {
  if (part.kind === 'list_sub') return part.index
  return part.kind === 'map_sub' ? String(part.key) : part.name
}
