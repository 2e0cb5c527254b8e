/** Edits of single blocks, and what is shown of secrets, of whatever config. */
import { create, type JsonObject, toJson } from '@bufbuild/protobuf'
import { BlockSchema, type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { kindOf, withBlocks } from '../../gateway/admin/rooms/edited.ts'
import { MASK, masksIn, shownConfig, shownJson } from '../../gateway/rooms/config-secrets.ts'
import { messageOf } from '../rooms/arbitrary-message.ts'
import { configOf } from './configs.ts'

/** Each kind once, as a config that may be used has it. */
const configs = messageOf(ConfigSchema).map(({ blocks }) => {
  const known = blocks.filter(({ kind }) => kind.case !== undefined)
  return create(ConfigSchema, {
    blocks: [...new Map(known.map((one) => [kindOf(one), one])).values()],
  })
})
const kinds = fc.subarray(BlockSchema.fields.map(({ name }) => name)).map((names) => new Set(names))

const of = ({ blocks }: Config, isWanted: (kind: string) => boolean) =>
  create(ConfigSchema, { blocks: blocks.filter((block) => isWanted(kindOf(block))) })

test('an edit by kinds takes these from what is given, and all else from what was there', () => {
  fc.assert(
    fc.property(configs, configs, kinds, (before, given, edited) => {
      const after = withBlocks(before, given, edited)
      const isEdited = (kind: string) => edited.has(kind)
      const isKept = (kind: string) => !edited.has(kind)
      expect(of(after, isKept)).toEqual(of(before, isKept))
      for (const kind of edited) {
        const one = (config: Config) => of(config, (each) => each === kind)
        expect(one(after)).toEqual(one(given))
      }
      expect(of(after, isEdited).blocks).toHaveLength(of(given, isEdited).blocks.length)
      expect(withBlocks(after, given, edited)).toEqual(after)
    }),
  )
})

const name = fc.constantFrom('secret', 'client_secret', 'url', 'by', 'secretary', 'x')
const { options } = fc.letrec<{ value: unknown; options: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('hidden', 1, null, true),
    fc.array(tie('value'), { maxLength: 2 }),
    tie('options'),
  ),
  options: fc.dictionary(name, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<JsonObject>,
}))

test('a shown config has a mask for each secret, and nothing else of it changes', () => {
  fc.assert(
    fc.property(options, (given) => {
      const config = configOf({
        access: { flow: { lock: { acceptor: 'webhook', options: given } } },
      })
      const shown = shownConfig(config)
      expect(toJson(ConfigSchema, shown)).toEqual(shownJson(config))
      expect(masksIn(config)).toEqual([])
      expect(masksIn(shown)).toHaveLength(secretsIn(given))
      expect(shownConfig(config, true)).toEqual(config)
    }),
  )
  expect(MASK).toBe('***')
})

/** Secrets within a secret are masked with it. */
function secretsIn(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0
  const found = Object.entries(value).map(([key, each]) =>
    !Array.isArray(value) && /(^|_)secret$/.test(key) ? 1 : secretsIn(each),
  )
  return found.reduce((sum, each) => sum + each, 0)
}
