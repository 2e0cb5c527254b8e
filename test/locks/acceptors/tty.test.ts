/** The acceptor `tty`: a dialogue of prompts (R17, RFC 4256). */
import { createHash } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { AnswerSchema } from '@porthouse/proto/v1/lock_step'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Response } from '../../../gateway/locks/acceptor.ts'
import { ttyAcceptor } from '../../../gateway/locks/acceptors/tty.ts'
import { contextOf, PLACE } from '../../support/lock-context.ts'

const tty = ttyAcceptor()
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const DOOR = {
  name: 'The door',
  instruction: 'Say who sent you.',
  prompts: [
    { text: 'Who are you? ', any: true },
    { text: 'Word: ', echo: false, answer_sha256: sha256('mellon') },
    { text: 'And? ', answer_sha256: sha256('Größe') },
  ],
}
const FAILED = { outcome: 'failed', code: Code.UNAUTHENTICATED }

const responses = (...values: string[]): Response => ({
  case: 'responses',
  value: create(AnswerSchema, { response: { case: 'responses', value: { values } } }).response
    .value as never,
})
const judge = (response: Response, options: unknown = DOOR) =>
  tty.answer(response, contextOf(tty, options), undefined)

test('asks all of its prompts, and shows nothing of the answers', () => {
  const step = tty.begin(contextOf(tty, DOOR))
  expect(step).toMatchObject({
    outcome: 'challenge',
    ask: {
      case: 'prompts',
      value: {
        name: 'The door',
        instruction: 'Say who sent you.',
        prompts: [
          { text: 'Who are you? ', echo: true },
          { text: 'Word: ', echo: false },
          { text: 'And? ', echo: true },
        ],
      },
    },
  })
  expect(JSON.stringify(step)).not.toContain(sha256('mellon'))
})

describe('answers', () => {
  test('that are all right prove this place alone, and nobody in particular', () => {
    const { proof } = judge(responses('ada', 'mellon', 'Größe')) as { proof: object }
    expect(proof).toEqual({
      acceptor: 'tty',
      place: PLACE.address,
      grants: [],
      values: { dialogue: expect.stringMatching(/^[\w-]{16}$/) },
    })
  })

  test('may be written with letters in two parts', () => {
    expect(judge(responses('', 'mellon', 'Größe'.normalize('NFD')))).toMatchObject({
      outcome: 'passed',
    })
  })

  test.each<[string, Response]>([
    ['one wrong', responses('ada', 'Mellon', 'Größe')],
    ['the last wrong', responses('ada', 'mellon', '')],
    ['too few', responses('ada', 'mellon')],
    ['too many', responses('ada', 'mellon', 'Größe', '')],
    ['none', responses()],
    ['in another order', responses('mellon', 'ada', 'Größe')],
    ['a hash', responses('ada', sha256('mellon'), 'Größe')],
    ['a NUL behind it', responses('ada', 'mellon\0', 'Größe')],
    ['a text for many prompts', { case: 'text', value: 'mellon' }],
    ['bytes', { case: 'data', value: new Uint8Array([1]) }],
    ['nothing', { case: undefined }],
  ])('%s', (_name, response) => {
    expect(judge(response)).toEqual(FAILED)
  })

  test('to a single prompt may be a text', () => {
    const options = { prompts: [{ text: '?', answer_sha256: sha256('yes') }] }
    expect(judge({ case: 'text', value: 'yes' }, options)).toMatchObject({ outcome: 'passed' })
    expect(judge({ case: 'text', value: 'no' }, options)).toEqual(FAILED)
  })

  test('that nobody thought of prove nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (values) => {
        expect(judge(responses(...values))).toEqual(FAILED)
      }),
    )
  })

  test('prove nothing in the main lobby', () => {
    const context = contextOf(tty, DOOR, { place: undefined })
    expect(tty.answer(responses('', 'mellon', 'Größe'), context, undefined)).toEqual(FAILED)
    expect(tty.nominable).toBe(false)
  })
})

describe('who has passed', () => {
  const passed = (options: unknown) => {
    const step = judge(responses('ada', 'mellon', 'Größe'), options)
    if (!('proof' in (step as object))) throw new Error('not passed')
    return (step as never as { proof: never }).proof
  }
  const other = { prompts: [{ text: 'Word: ', answer_sha256: sha256('mellon') }] }

  test('need not do it again, there', () => {
    const proofs = [passed(DOOR)]
    expect(tty.finished(contextOf(tty, DOOR, { proofs }))).toBe(true)
    expect(tty.finished(contextOf(tty, { ...DOOR, name: 'Another title' }, { proofs }))).toBe(true)
  })

  test('has passed no other dialogue, and no other place', () => {
    const proofs = [passed(DOOR)]
    const place = { address: 'room:acme/pump', account: 'acme', room: 'pump' }
    expect(tty.finished(contextOf(tty, other, { proofs }))).toBe(false)
    expect(tty.finished(contextOf(tty, DOOR, { proofs, place }))).toBe(false)
    expect(tty.finished(contextOf(tty, DOOR, { proofs, place: undefined }))).toBe(false)
    expect(tty.finished(contextOf(tty, DOOR))).toBe(false)
  })
})

test.each<[string, unknown, RegExp]>([
  ['no prompts', {}, /prompts/],
  ['an empty list', { prompts: [] }, /prompts/],
  ['nine', { prompts: Array(9).fill({ text: '?', any: true }) }, /prompts/],
  ['neither', { prompts: [{ text: '?' }] }, /answer_sha256 or any/],
  ['both', { prompts: [{ text: '?', any: true, answer_sha256: sha256('') }] }, /answer_sha256/],
  ['any: false', { prompts: [{ text: '?', any: false }] }, /any/],
  ['half a hash', { prompts: [{ text: '?', answer_sha256: 'abc' }] }, /answer_sha256.*64 hex/],
  ['an answer in the clear', { prompts: [{ text: '?', answer: 'x' }] }, /answer/],
  ['no text', { prompts: [{ text: '', any: true }] }, /text/],
  ['no object', 'mellon', /options/],
])('options with %s are refused', (_name, options, why) => {
  expect(() => tty.readOptions(options)).toThrow(why)
})
