/**
 * JSON Schema, draft 2020-12, compiled by Ajv once for a room's config. A compiler of its own for
 * each, so that nothing is kept of those that are gone.
 */

import {
  _,
  Ajv2020,
  type CodeKeywordDefinition,
  type ErrorObject,
  type ValidateFunction,
} from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { Refusal } from '../../../protocol/codes.ts'
import { Budget } from '../budget.ts'
import { parseJson } from '../json-text.ts'
import { contentInvalid, type Misfit, misfit, unescaped } from '../misfit.ts'
import type { Pattern } from '../pattern.ts'
import { type Cost, stepsOf } from './cost.ts'
import { COST, FORMATS, type Outline, outline, schemaFault } from './outline.ts'

/** Of the text. */
const BYTES_MAX = 65_536

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** `bytes`: of the content, which bound the work. Throws Refusal CONTENT_INVALID. */
export type Schema = (value: unknown, bytes: number) => void

/** Throws an Error, for an admin, that says where and why it cannot be used. */
export function readSchema(text: string): Schema {
  const bytes = Buffer.from(text)
  if (bytes.length > BYTES_MAX) throw schemaFault('', `over ${BYTES_MAX} bytes`)
  const json = parseJson(bytes)
  const [fault] = faultsIn(json)
  if (fault) throw schemaFault(fault.instancePath, fault.message ?? 'no schema')
  const outlined = outline(json)
  try {
    return compile(outlined)
  } catch (error) {
    throw schemaFault('', reasonOf(error))
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.detail
  return error instanceof Error ? error.message : String(error)
}

let metaschema: ValidateFunction | undefined

/** What is wrong with it as JSON Schema has it. */
function faultsIn(json: unknown): ErrorObject[] {
  metaschema ??= new Ajv2020({ logger: false }).getSchema(DIALECT)
  return metaschema?.(json) ? [] : (metaschema?.errors ?? [])
}

function compile({ schema, patterns, hasUnevaluated }: Outline): Schema {
  let budget = new Budget(0)
  const ajv = new Ajv2020({
    allowMatchingProperties: true,
    // What Ajv gains by this is little, and it takes the square of the schema.
    code: { optimize: false, regExp: engineOf(patterns, matches) },
    // A schema in the place of each reference to it could make a few lines billions.
    inlineRefs: false,
    keywords: [costKeyword((cost, value) => budget.spend(stepsOf(cost, value)))],
    logger: false,
    meta: false,
    // 4.35 is a multiple of 0.01.
    multipleOfPrecision: 9,
    // What every object inherits is no member of it.
    ownProperties: true,
    // These say how a schema is best written.
    strictRequired: false,
    strictTuples: false,
    strictTypes: false,
    validateSchema: false,
  })
  ajv.opts.unevaluated = hasUnevaluated
  addFormats.default(ajv, [...FORMATS])
  const validate = ajv.compile(schema)
  // Its code is read with the first value, and may be too much for the stack.
  fits(null)
  return (value, bytes) => {
    budget = new Budget(bytes)
    if (!fits(value)) throw contentInvalid(misfitOf(validate.errors ?? []))
  }

  function matches(pattern: Pattern, text: string): boolean {
    return pattern.matches(text, budget)
  }

  function fits(value: unknown): unknown {
    try {
      return validate(value)
    } catch (error) {
      // Of the stack, for such code throws no other.
      if (error instanceof RangeError) throw contentInvalid(misfit('checking it nests too deep'))
      throw error
    }
  }
}

/** Ajv tells patterns apart by what they are as text. */
function engineOf(patterns: Outline['patterns'], matches: (by: Pattern, text: string) => boolean) {
  const engine = (source: string) => {
    const pattern = patterns.get(source)
    if (!pattern) throw new Error('a pattern that was not read')
    return { test: (text: string) => matches(pattern, text), toString: () => source }
  }
  // For code that is written to a file, as it is not here.
  return Object.assign(engine, { code: '' })
}

/** Spends before any other keyword of the schema looks at the value. */
function costKeyword(spend: (cost: Cost, value: unknown) => void): CodeKeywordDefinition {
  return {
    keyword: COST,
    before: '$ref',
    code({ gen, data, schema }) {
      const spending = gen.scopeValue('func', { ref: spend })
      gen.code(_`${spending}(${gen.scopeValue('obj', { ref: schema })}, ${data})`)
    },
  }
}

/** The last says most; but `if` says only that what it leads to does not hold. */
function misfitOf(errors: ErrorObject[]): Misfit {
  const error = errors.findLast(({ keyword }) => keyword !== 'if')
  const { instancePath = '', params = {}, message = 'does not fit' } = error ?? {}
  const path = instancePath.split('/').slice(1).map(unescaped)
  const name = params.additionalProperty ?? params.unevaluatedProperty ?? params.propertyName
  if (name !== undefined) path.push(name)
  return { path: path.toReversed(), reason: message }
}
