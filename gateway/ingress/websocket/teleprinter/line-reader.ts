/**
 * What a person sends, as lines. Some tools send a line a message, others each key as it is typed:
 * a connection whose first message is a single character is taken to be of the second kind.
 */

/** One line, in bytes of UTF-8. */
export const LINE_BYTES_MAX = 4096

const BACKSPACES = new Set(['\b', '\x7f'])

/** What ^U sends: the line is begun anew. */
const KILL = '\x15'

/** What keys other than letters send (ECMA-48), and other controls but the tab. */
const ESCAPE = '\x1b'
const KEYS = new RegExp(`${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|O.|.)?`, 'gsu')
const CONTROLS = /(?!\t)\p{Cc}/gu

/** A line without its end; undefined: one over LINE_BYTES_MAX, of which nothing was kept. */
export type Line = string | undefined

export class LineReader {
  #typed = ''
  #tooLong = false
  #afterReturn = false
  #byKeys: boolean | undefined

  /** `byKeys`: whether keys come as they are typed; undefined: the first message tells. */
  constructor(byKeys?: boolean) {
    this.#byKeys = byKeys
  }

  get byKeys(): boolean {
    return this.#byKeys ?? false
  }

  /**
   * The lines that a message ends. CR, LF and CRLF end one; so does the message itself, unless keys
   * come one by one, where only an empty message does.
   */
  read(message: string): Line[] {
    this.#byKeys ??= isKey(message)
    const lines: Line[] = []
    for (const character of message) {
      const restOfEnd = character === '\n' && this.#afterReturn
      this.#afterReturn = character === '\r'
      if (restOfEnd) continue
      if (character === '\r' || character === '\n') lines.push(this.#end())
      else this.#type(character)
    }
    const ended = this.#byKeys ? message !== '' : /[\r\n]$/.test(message)
    if (!ended) lines.push(this.#end())
    return lines
  }

  #type(character: string): void {
    if (BACKSPACES.has(character)) this.#typed = this.#typed.replace(/.$/su, '')
    else if (character === KILL) this.#typed = ''
    else if (this.#typed.length >= LINE_BYTES_MAX) this.#tooLong = true
    else this.#typed += character
  }

  #end(): Line {
    const line = this.#typed.replace(KEYS, '').replace(CONTROLS, '')
    const tooLong = this.#tooLong || Buffer.byteLength(this.#typed) > LINE_BYTES_MAX
    this.#typed = ''
    this.#tooLong = false
    return tooLong ? undefined : line
  }
}

function isKey(message: string): boolean {
  return message !== '\r' && message !== '\n' && /^.$/su.test(message)
}
