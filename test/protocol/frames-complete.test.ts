/** That the golden frames leave nothing out: no message, field, choice, value or code. */
import { type DescMessage, fromBinary } from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import { CodeSchema } from '@porthouse/proto/v1/code'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { beforeAll, describe, expect, test } from 'vitest'
import { CODES } from '../../gateway/protocol/codes.ts'
import { bytesOf, goldenFrames } from '../support/golden-frames.ts'

const goldens = goldenFrames()
/** As what each message and each field was seen: of an enum, by the names of its values. */
const seen = new Map<string, Set<string>>()
const messages = reachedFrom(PacketSchema)
const fields = [...messages].flatMap((message) => message.fields)

beforeAll(() => {
  for (const [, golden] of goldens) {
    if (!golden.packet) continue
    walk(reflect(PacketSchema, fromBinary(PacketSchema, bytesOf(golden))))
  }
})

function reachedFrom(desc: DescMessage, found = new Set<DescMessage>()): Set<DescMessage> {
  if (found.has(desc)) return found
  found.add(desc)
  for (const { message } of desc.fields) if (message) reachedFrom(message, found)
  return found
}

function walk(message: ReflectMessage): void {
  const { typeName } = message.desc
  const set = message.fields.filter((field) => message.isSet(field))
  note(typeName, set.length === 0 ? 'empty' : 'filled')
  if (message.getUnknown()?.length) note(typeName, 'with an unknown field')
  for (const field of set) {
    const value = message.get(field)
    note(field.toString(), 'set')
    if (field.fieldKind === 'message') walk(value as ReflectMessage)
    if (field.fieldKind === 'list' && field.listKind === 'message') {
      for (const element of value as Iterable<ReflectMessage>) walk(element)
    }
    if (field.fieldKind === 'enum') {
      note(field.toString(), field.enum.value[value as number]?.name ?? 'unknown')
    }
  }
}

function note(what: string, as: string): void {
  seen.set(what, (seen.get(what) ?? new Set()).add(as))
}

function messagesNever(as: string): string[] {
  return [...messages].map(({ typeName }) => typeName).filter((name) => !seen.get(name)?.has(as))
}

describe('the golden frames have', () => {
  test('every message without a field, and with one that no version knows', () => {
    expect(messagesNever('empty')).toEqual([])
    expect(messagesNever('with an unknown field')).toEqual([])
  })

  test('every field, and every choice of a oneof', () => {
    expect(fields.map(String).filter((field) => !seen.has(field))).toEqual([])
  })

  const enums = fields.filter((field) => field.fieldKind === 'enum')
  test.each(enums.map((field) => [field.toString(), field.enum] as const))(
    'every value of %s, and one that no version knows',
    (field, desc) => {
      // The default is how each field looks that is absent; of codes there is a test of its own.
      const values = desc.typeName === CodeSchema.typeName ? [] : desc.values.slice(1)
      const names = [...values.map(({ name }) => name), 'unknown']
      expect(names.filter((name) => !seen.get(field)?.has(name))).toEqual([])
    },
  )

  test.each(['drop', 'receipt'])('every code in a %s', (kind) => {
    const names = goldens.map(([name]) => name)
    const files = CODES.map(({ name }) => `${kind}/code-${name.toLowerCase().replaceAll('_', '-')}`)
    expect(files.filter((file) => !names.includes(file))).toEqual([])
    const field = fields.find(
      ({ name, parent }) => name === 'code' && parent.name === capital(kind),
    )
    expect(CODES.filter(({ name }) => !seen.get(String(field))?.has(`CODE_${name}`))).toEqual([])
  })
})

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
