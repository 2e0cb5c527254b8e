/**
 * What others wrote, made fit for a terminal: nothing of it moves a cursor, changes a colour, ends
 * a line or turns the direction of reading.
 */

/**
 * Controls, formats (among them those of direction), line and paragraph separators, and halves of
 * characters. The joiners stay, for scripts and emoji are written with them.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Shows each unsafe character as an escape, such as `\n` or `\u{1b}`. */
export function visible(text: string): string {
  return text.replace(
    UNSAFE,
    (character) => NAMED[character] ?? `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}
