/** The files for tools are what their specifications say, and have every method. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Ajv, type AnySchemaObject } from 'ajv'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { SERVICES } from '../../gateway/admin/services.ts'
import { root } from './root.ts'

const require = createRequire(import.meta.url)

function documentAt(file: string) {
  return JSON.parse(readFileSync(join(root, 'docs/api', file), 'utf8'))
}

test('asyncapi.json is of AsyncAPI 3.0', () => {
  const schema = require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as AnySchemaObject
  const ajv = new Ajv({ strict: false, logger: false })
  addFormats.default(ajv)
  const validate = ajv.compile(schema)
  validate(documentAt('asyncapi.json'))
  expect(validate.errors ?? []).toEqual([])
})

test('asyncapi.json and openapi.json refer to what is there', () => {
  for (const file of ['asyncapi.json', 'openapi.json']) {
    const document = documentAt(file)
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)
    const dangling = [...references].filter(([, path]) => {
      return path!.split('/').reduce((at, part) => at?.[part], document) === undefined
    })
    expect(dangling).toEqual([])
  }
})

test('openapi.json has every method that answers once', () => {
  const { paths } = documentAt('openapi.json')
  const methods = SERVICES.flatMap(({ service }) => service.methods)
    .filter(
      ({ methodKind, parent }) => methodKind === 'unary' && /^porthouse/.test(parent.typeName),
    )
    .map(({ parent, name }) => `/${parent.typeName}/${name}`)
  for (const method of methods) expect(Object.keys(paths)).toContain(method)
})
