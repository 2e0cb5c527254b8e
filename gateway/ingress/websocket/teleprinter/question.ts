/** One challenge as a person meets it: what is shown, what is asked, and what is typed so far. */
import { isUtf8 } from 'node:buffer'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { AnswerSchema, Challenge } from '@porthouse/proto/v1/lock_step'
import { visible } from './visible.ts'

/** Why an acceptor takes nothing that a person could type, by its name. */
const UNTYPED: ReadonlyMap<string, string> = new Map([
  ['key', 'A connection key is proved by a program: porthouse connect … --key-file …'],
  ['ssh-key', 'An SSH key is proved by a program: porthouse connect … --as … --ssh-key …'],
  ['cookie', 'A cookie comes with the connection itself; there is nothing to type.'],
  ['header', 'A header comes with the connection itself; there is nothing to type.'],
  ['url', 'A secret path comes with the connection itself; there is nothing to type.'],
])

/** What to type, where the name of the acceptor does not tell. */
const TYPED: ReadonlyMap<string, string> = new Map([
  ['oidc', 'Type device to log in on a page elsewhere, or a token of the provider.'],
])

/** Acceptors whose one answer is a secret. */
const SECRET: ReadonlySet<string> = new Set(['token', 'preset'])

const SHOWN_BYTES_MAX = 256

type Ask = Challenge['ask']
export type Answer = MessageInitShape<typeof AnswerSchema>

interface Prompt {
  readonly text: string
  readonly echo: boolean
}

export type Challenged = Pick<Challenge, 'acceptor' | 'place' | 'others' | 'deadlineMs' | 'ask'>

export class Question {
  /** As in LockStep.lock. */
  readonly lock: string
  readonly acceptor: string
  readonly place: string
  readonly others: readonly string[]
  readonly #deadlineMs: number
  readonly #ask: Ask
  readonly #prompts: readonly Prompt[]
  #typed: string[] = []

  constructor(lock: string, { acceptor, place, others, deadlineMs, ask }: Challenged) {
    this.lock = lock
    this.acceptor = acceptor
    this.place = place
    this.others = others
    this.#deadlineMs = deadlineMs
    this.#ask = ask
    this.#prompts = promptsOf(acceptor, ask)
  }

  /** To be shown before the first prompt, a line each. */
  get lines(): string[] {
    const place = this.place === '' ? 'The lobby' : visible(this.place)
    const time = this.#deadlineMs > 0 ? ` You have ${seconds(this.#deadlineMs)} s.` : ''
    const untyped = UNTYPED.get(this.acceptor)
    const hidden = this.#prompts.some(({ echo }) => !echo)
    return [
      `${place} asks for: ${visible(this.acceptor)}.${time}`,
      ...(untyped === undefined ? linesOf(this.acceptor, this.#ask) : [untyped]),
      ...(hidden ? ['What you type is not hidden here: mind who looks at your screen.'] : []),
      ...(this.others.length > 0
        ? [`Or choose another way, by /use and its name: ${this.others.map(visible).join(', ')}.`]
        : []),
    ]
  }

  /** What is asked now; undefined: nothing that could be typed. */
  get prompt(): string | undefined {
    const prompt = this.#prompts[this.#typed.length]
    return prompt && `${visible(prompt.text.trimEnd())} `
  }

  /** Another way, if nothing can be typed or done about this one, and that one is typed. */
  get better(): string | undefined {
    if (this.prompt !== undefined || this.#ask.case === 'visit') return undefined
    return this.others.find((name) => !UNTYPED.has(name))
  }

  /** One line is asked for, a blank one cannot be right, and so is no answer. */
  get isText(): boolean {
    return this.#ask.case !== 'prompts'
  }

  /** Takes a line. Returns the answer once it is complete. */
  type(line: string): Answer | undefined {
    this.#typed.push(line)
    if (this.#typed.length < this.#prompts.length) return undefined
    const typed = this.#typed
    this.#typed = []
    const { acceptor } = this
    if (this.#ask.case === 'prompts') {
      const values = this.#ask.value.prompts.map((_, i) => typed[i] ?? '')
      return { acceptor, response: { case: 'responses', value: { values } } }
    }
    return { acceptor, response: { case: 'text', value: (typed[0] ?? '').trim() } }
  }
}

function promptsOf(acceptor: string, ask: Ask): readonly Prompt[] {
  if (UNTYPED.has(acceptor)) return []
  switch (ask.case) {
    case 'prompts':
      // RFC 4256 section 3.2: even where nothing is asked, there is an answer.
      return ask.value.prompts.length > 0
        ? ask.value.prompts
        : [{ text: '(press Enter)', echo: true }]
    case 'nonce':
    case 'scram':
    case 'visit':
      return []
    default:
      return [{ text: `${acceptor}:`, echo: !SECRET.has(acceptor) }]
  }
}

function linesOf(acceptor: string, ask: Ask): string[] {
  switch (ask.case) {
    case 'prompts':
      return [ask.value.name, ...ask.value.instruction.split(/\r?\n/)]
        .filter((line) => line !== '')
        .map(visible)
    case 'visit': {
      const { url, userCode, completeUrl } = ask.value
      const there = userCode === '' ? '' : `, and type there: ${visible(userCode)}`
      return [
        `Open ${visible(url)}${there}`,
        ...(completeUrl === '' ? [] : [`or at once: ${visible(completeUrl)}`]),
        'What comes of it is told here.',
      ]
    }
    case 'nonce':
    case 'scram':
      return ['That is proved by a program, not by a person: porthouse connect …']
    case 'data':
      return [shown(ask.value)]
    default:
      return TYPED.has(acceptor) ? [TYPED.get(acceptor) as string] : []
  }
}

function shown(data: Uint8Array): string {
  const start = data.subarray(0, SHOWN_BYTES_MAX)
  return isUtf8(data) && data.length <= SHOWN_BYTES_MAX
    ? visible(Buffer.from(start).toString())
    : `(bytes) ${Buffer.from(start).toString('hex')}`
}

function seconds(ms: number): number {
  return Math.max(1, Math.floor(ms / 1000))
}
