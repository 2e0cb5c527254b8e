/** What a teleprinter makes of what is typed, and what it shows (R17). */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  LINE_BYTES_MAX,
  LineReader,
} from '../../gateway/ingress/websocket/teleprinter/line-reader.ts'
import { paceOf } from '../../gateway/ingress/websocket/teleprinter/printer.ts'
import { visible } from '../../gateway/ingress/websocket/teleprinter/visible.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 200 })
const typing = fc.string({
  unit: fc.constantFrom('a', 'ä', '🔑', '\r', '\n', '\r\n', '\b', '\x7f', '\x15', '\x1b', '[', 'A'),
  maxLength: 60,
})

describe('the text of others', () => {
  test('never holds what a terminal obeys, or what turns the direction of reading', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })

  test.each([
    ['red', '\x1b[31mred', '\\u{1b}[31mred'],
    ['a title', '\x1b]0;owned\x07', '\\u{1b}]0;owned\\u{7}'],
    ['an 8-bit control', '\x9b2J', '\\u{9b}2J'],
    ['a forged line', 'hi\r\nGoodbye.', 'hi\\r\\nGoodbye.'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['direction', '\u202egnp.exe', '\\u{202e}gnp.exe'],
    ['backspaces', 'you\b\b\bme', 'you\\u{8}\\u{8}\\u{8}me'],
    ['tags that nobody sees', 'a\u{e0041}', 'a\\u{e0041}'],
    ['half a character', '\ud800', '\\u{d800}'],
    ['emoji and letters', '👩‍🚀 naïve Ω', '👩‍🚀 naïve Ω'],
  ])('%s', (_name, text, shown) => {
    expect(visible(text)).toBe(shown)
  })
})

describe('lines', () => {
  const read = (messages: readonly string[], byKeys?: boolean) => {
    const reader = new LineReader(byKeys)
    return messages.flatMap((message) => reader.read(message))
  }

  test('typed key by key are the same however they are split', () => {
    fc.assert(
      fc.property(typing, fc.array(fc.nat(60)), (text, cuts) => {
        const characters = [...text]
        const bounds = [
          0,
          ...cuts.map((cut) => Math.min(cut, characters.length)).sort((a, b) => a - b),
        ]
        const pieces = [...bounds, characters.length]
          .map((end, i, all) => characters.slice(all[i - 1] ?? 0, end).join(''))
          .filter((piece) => piece !== '')
        expect(read(pieces, true)).toEqual(text === '' ? [] : read([text], true))
      }),
    )
  })

  test('hold no control but the tab, and are within their bound', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, typing)), (messages) => {
        for (const line of read(messages)) {
          expect(line).not.toMatch(/(?!\t)\p{Cc}/u)
          expect(Buffer.byteLength(line ?? '')).toBeLessThanOrEqual(LINE_BYTES_MAX)
        }
      }),
    )
  })

  test.each([
    ['a message', ['hello', 'you'], ['hello', 'you']],
    ['a message with its end', ['hello\n', 'you\r\n', 'all\r'], ['hello', 'you', 'all']],
    ['several', ['a1\nb2\r\nc3\rd4'], ['a1', 'b2', 'c3', 'd4']],
    ['an end in two messages', ['hello\r', '\n', 'you'], ['hello', 'you']],
    ['nothing', ['hello', '', '\n'], ['hello', '', '']],
    ['single characters after a longer one', ['hello', 'y', 'n'], ['hello', 'y', 'n']],
    ['keys', ['h', 'i', '\r', 'y', 'o', '\r\n'], ['hi', 'yo']],
    ['keys, with a paste among them', ['h', 'ello there', '\r'], ['hello there']],
    ['keys, ended by an empty message', ['y', ''], ['y']],
    ['keys, with mistakes', ['h', 'u', '\x7f', 'i', '\b', '\b', '\b', 'yo', '\r'], ['yo']],
    ['keys, begun anew', ['n', 'o', '\x15', 'y', 'es', '\r'], ['yes']],
    ['arrows and others', ['a', '\x1b[D', '\x1b[3~', '\x1bOP', 'b', '\x03', '\r'], ['ab']],
  ])('%s', (_name, messages, lines) => {
    expect(read(messages)).toEqual(lines)
  })

  test('a first message of one character may be told to be a line', () => {
    expect(read(['y', 'n'], false)).toEqual(['y', 'n'])
  })

  test.each(['x', 'ä', '🔑'])('over the bound are gone as a whole, of %s', (unit) => {
    const size = Buffer.byteLength(unit)
    const most = unit.repeat(Math.floor(LINE_BYTES_MAX / size))
    expect(read([`${most}\n${most}${unit}x\nhi`])).toEqual([most, undefined, 'hi'])
  })

  test('that never end take no more than their bound', () => {
    const reader = new LineReader(true)
    for (let i = 0; i < 100; i++) reader.read('x'.repeat(60_000))
    expect(reader.read('\nafter\n')).toEqual([undefined, 'after'])
  })
})

test.each([
  ['', undefined],
  ['pace=30', 30],
  ['pace=1', 10],
  ['pace=999999999', 1000],
  ['pace=9999999999', undefined],
  ['pace=-5', undefined],
  ['pace=1e3', undefined],
  ['pace=', undefined],
])('the pace of ?%s', (query, pace) => {
  expect(paceOf(new URLSearchParams(query), 1000)).toBe(pace)
})
