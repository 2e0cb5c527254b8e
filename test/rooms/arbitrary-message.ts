/** Any value of a Protobuf type, by its descriptor: what a stranger may have written. */
import {
  create,
  type DescField,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  ScalarType,
} from '@bufbuild/protobuf'
import fc from 'fast-check'

const LENGTH_MAX = 3
/** Messages within messages. */
const DEPTH_MAX = 5

const text = fc.constantFrom('', 'a', 'b', 'crew', 'token', 'a/*', '*', 'A', '\ud800', '{}')
const uint32 = fc.oneof(fc.constantFrom(0, 1, 2 ** 32 - 1), fc.nat(300))

const SCALARS: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: fc.oneof({ weight: 9, arbitrary: text }, fc.string()),
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 20 }),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.UINT32]: uint32,
  [ScalarType.UINT64]: fc.oneof(uint32.map(BigInt), fc.constant(2n ** 64n - 1n)),
  [ScalarType.DOUBLE]: fc.oneof(fc.constantFrom(0, 1, -1, NaN, Infinity), fc.double()),
}

export function messageOf<D extends DescMessage>(desc: D): fc.Arbitrary<MessageShape<D>> {
  return initOf(desc, 0).map((init) => create(desc, init as MessageInitShape<D>))
}

function initOf(desc: DescMessage, depth: number): fc.Arbitrary<object> {
  if (desc.typeName === 'google.protobuf.Struct') return fc.dictionary(fc.string(), fc.jsonValue())
  if (depth > DEPTH_MAX) return fc.constant({})
  const members = desc.members.map((member) => {
    const values =
      member.kind === 'field' ? fieldOf(member, depth) : fc.oneof(...member.fields.map(caseOf))
    return [member.localName, values] as const
  })
  return fc.record(Object.fromEntries(members), { requiredKeys: [] })

  function caseOf(field: DescField) {
    return fc.record({ case: fc.constant(field.localName), value: fieldOf(field, depth) })
  }
}

function fieldOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'list') {
    return fc.array(singleOf(field.message, field.enum, field.scalar, depth), {
      maxLength: LENGTH_MAX,
    })
  }
  if (field.fieldKind === 'map') throw new Error('no config has a map')
  return singleOf(field.message, field.enum, field.scalar, depth)
}

function singleOf(
  message: DescMessage | undefined,
  isEnum: object | undefined,
  scalar: ScalarType | undefined,
  depth: number,
): fc.Arbitrary<unknown> {
  if (message) return initOf(message, depth + 1)
  if (isEnum) return fc.integer({ min: -1, max: 5 })
  const values = SCALARS[scalar as ScalarType]
  if (!values) throw new Error(`no values for scalar ${scalar}`)
  return values
}
