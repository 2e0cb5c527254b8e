/**
 * The dialogue of one teleprinter: frames come in as words, and lines go out as frames. It is
 * strict (R17): one wrong answer, and it is over.
 */
import { Code } from '@porthouse/proto/v1/code'
import type { Frame } from '@porthouse/proto/v1/frame'
import { type LockStep, Outcome, type Verdict } from '@porthouse/proto/v1/lock_step'
import type { Joined, Room } from '@porthouse/proto/v1/room'
import type { Body } from '../../../session/session.ts'
import { claimOf } from './claim.ts'
import { type Command, commandOf, HELP } from './commands.ts'
import { Question } from './question.ts'
import { visible } from './visible.ts'
import { Whereabouts } from './whereabouts.ts'
import {
  why,
  wordsOfDrop,
  wordsOfEvent,
  wordsOfJoined,
  wordsOfLeft,
  wordsOfLost,
  wordsOfMessage,
  wordsOfReceipt,
  wordsOfSockets,
} from './words.ts'

/** Lines that come before it is clear what they are an answer to, in bytes and 64 for each. */
const HELD_BYTES_MAX = 1_048_576
const HELD_LINE_BYTES = 64

/** Verdicts that say that what was typed is wrong, rather than late, expired or unheard. */
const WRONG: ReadonlySet<Code> = new Set([Code.UNAUTHENTICATED, Code.TRIES_EXHAUSTED])

export interface DialogueParts {
  /** Shows a line, without its end. */
  readonly line: (text: string) => void
  /** Shows what the next line answers. */
  readonly prompt: (text: string) => void
  readonly send: (id: number, body: Body) => void
  /** A wrong answer was given, by somebody who claims to be these. Called once, at the end. */
  readonly wrong: (claims: readonly string[]) => void
  /** The socket now is these. */
  readonly proved: (identities: readonly string[]) => void
  readonly quit: () => void
  /** More lines wait than may. */
  readonly flooded: () => void
}

export class Dialogue {
  readonly #parts: DialogueParts
  /** The newest lock that waits for an answer. */
  #question: Question | undefined
  #prompted = false
  /** The lock for which a way was chosen that can be typed. */
  #helpedWith = ''
  /** Entries under way, by the id of the frame that asked for them; 0 is the URL's own. */
  readonly #entering = new Map<number, string>()
  /** Id of the request whose answer the next line has to wait for. */
  #awaited: number | undefined
  #answered = false
  #inside = false
  #over = false
  readonly #whereabouts = new Whereabouts()
  readonly #held: string[] = []
  #heldBytes = 0
  #lastId = 0
  readonly #claims: string[] = []

  /** `place`: where the URL leads; undefined: the main lobby. */
  constructor(parts: DialogueParts, place: string | undefined, claims: readonly string[]) {
    this.#parts = parts
    this.#claims.push(...claims)
    if (place === undefined) this.#askInLobby()
    else this.#entering.set(0, place)
  }

  /** Whether lines wait for an answer of the gateway. */
  get holds(): boolean {
    return this.#held.length > 0
  }

  /** Takes what the gateway says. */
  hear(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (frame.id !== 0 && frame.id === this.#awaited) this.#awaited = undefined
      // Once it is over, only the end is told.
      if (!this.#over || frame.body.case === 'drop') this.#take(frame)
    }
    this.#goOn()
  }

  /** Takes what the person typed, a line at a time. */
  type(line: string): void {
    if (this.#over) return
    if (this.#isReady && !this.holds) this.#act(line)
    else if (commandOf(line)?.name === 'quit' && !this.holds) this.#parts.quit()
    else this.#hold(line)
    this.#goOn()
  }

  /** Says something that is no frame's, and shows the open prompt again. */
  tell(line: string): void {
    this.#say(line)
    this.#goOn()
  }

  /** What was prompted for has to be prompted for again, below the line. */
  #say(line: string): void {
    this.#parts.line(line)
    this.#prompted = false
  }

  get #isReady(): boolean {
    if (this.#awaited !== undefined) return false
    return this.#question !== undefined || this.#entering.size === 0
  }

  #hold(line: string): void {
    this.#held.push(line)
    this.#heldBytes += line.length + HELD_LINE_BYTES
    if (this.#heldBytes <= HELD_BYTES_MAX) return
    this.#over = true
    this.#parts.flooded()
  }

  #goOn(): void {
    while (this.#isReady && this.holds && !this.#over) {
      const line = this.#held.shift() as string
      this.#heldBytes -= line.length + HELD_LINE_BYTES
      this.#act(line)
    }
    const prompt = this.#question?.prompt
    if (this.#over || this.#prompted || !this.#isReady || prompt === undefined) return
    this.#prompted = true
    this.#parts.prompt(prompt)
  }

  #act(line: string): void {
    this.#prompted = false
    const command = commandOf(line)
    if (command) return this.#obey(command)
    if (this.#question) return this.#answer(this.#question, line)
    if (/^\/(?!\/)/.test(line)) return this.#say('There is no such command: /help lists them.')
    if (line !== '') this.#message(line.replace(/^\/\//, '/'))
  }

  #answer(question: Question, line: string): void {
    if (question.prompt === undefined) return this.#say('There is nothing to type here.')
    if (line.trim() === '' && question.isText) return
    const answer = question.type(line)
    if (!answer) return
    const claim = claimOf(answer, question.place)
    if (claim && !this.#claims.includes(claim)) this.#claims.push(claim)
    this.#answered = true
    this.#ask({
      case: 'lockStep',
      value: { lock: question.lock, step: { case: 'answer', value: answer } },
    })
  }

  #message(text: string): void {
    const { routing } = this.#whereabouts
    const value = { ...(routing && { routing }), content: { case: 'text', value: text } as const }
    this.#parts.send(this.#newId(), { case: 'envelope', value })
  }

  #obey(command: Command): void {
    switch (command.name) {
      case 'help':
        for (const line of HELP) this.#say(line)
        return
      case 'quit':
        return this.#parts.quit()
      case 'sockets':
        this.#ask({ case: 'command', value: { action: { case: 'listSockets', value: {} } } })
        return
      case 'use':
        return this.#use(command.argument)
      case 'admit':
      case 'refuse':
        return this.#decide(command.argument, command.name === 'admit')
      case 'join':
        return this.#join(command.argument)
      case 'leave':
        return this.#leave(command.argument)
    }
  }

  #use(acceptor: string): void {
    if (!this.#question) return this.#say('No lock asks for anything.')
    const { lock } = this.#question
    this.#ask({ case: 'lockStep', value: { lock, step: { case: 'answer', value: { acceptor } } } })
  }

  #decide(lock: string, admitted: boolean): void {
    const action = { case: 'admit', value: { lock, admitted } } as const
    this.#ask({ case: 'command', value: { action } })
  }

  #join(address: string): void {
    if (this.#question?.lock === '') this.#question = undefined
    const id = this.#ask({
      case: 'room',
      value: { action: { case: 'join', value: { address } } },
    })
    this.#entering.set(id, address)
  }

  #leave(argument: string): void {
    const address = argument || this.#question?.place || this.#whereabouts.target
    if (!address) return this.#say('There is nothing to leave but this connection: /quit.')
    this.#ask({ case: 'room', value: { action: { case: 'leave', value: { address } } } })
  }

  #ask(body: Body): number {
    const id = this.#newId()
    this.#awaited = id
    this.#parts.send(id, body)
    return id
  }

  #newId(): number {
    return ++this.#lastId
  }

  #take({ id, body }: Frame): void {
    switch (body.case) {
      case 'lockStep':
        return this.#takeStep(body.value)
      case 'room':
        return this.#takeRoom(id, body.value)
      case 'envelope': {
        const place = this.#whereabouts.labelOf(body.value.stamp?.route ?? 0)
        return this.#say(wordsOfMessage(body.value, place))
      }
      case 'receipt':
        return this.#sayAll(wordsOfReceipt(body.value))
      case 'event':
        return this.#say(wordsOfEvent(body.value))
      case 'command':
        if (body.value.action.case !== 'sockets') return
        return this.#sayAll(wordsOfSockets(body.value.action.value))
      case 'drop':
        if (id === 0) return this.#end(`Goodbye. ${wordsOfDrop(body.value)}`)
        this.#entering.delete(id)
        this.#say(`Refused. ${wordsOfDrop(body.value)}`)
        return this.#askInLobby()
    }
  }

  #takeStep({ lock, step }: LockStep): void {
    if (step.case === 'verdict') return this.#takeVerdict(step.value)
    if (step.case !== 'challenge') return
    this.#question = new Question(lock, step.value)
    this.#answered = false
    this.#sayAll(this.#question.lines)
    const { better } = this.#question
    // Once a lock, for that way may turn out to be none.
    if (better === undefined || this.#helpedWith === lock) return
    this.#helpedWith = lock
    this.#use(better)
  }

  #takeVerdict({ outcome, code, values }: Verdict): void {
    const answered = this.#answered
    this.#answered = false
    if (outcome === Outcome.PASSED) return this.#pass(values)
    if (answered && WRONG.has(code)) {
      this.#over = true
      this.#parts.line(`Wrong. ${why(code, '')}.`)
      return this.#parts.wrong(this.#claims)
    }
    if (outcome === Outcome.DROPPED) this.#question = undefined
    // Without a code it was given up.
    if (code !== Code.UNSPECIFIED) this.#say(`That did not open it. ${why(code, '')}.`)
  }

  #pass(values: Verdict['values']): void {
    this.#question = undefined
    this.#inside = true
    const { client, token } = values
    const identities = [client, token && `token:${token}`].filter((name) => name !== undefined)
    const who = client ?? values.account
    this.#say(who === undefined ? 'Right.' : `Right. You are ${visible(who)}.`)
    if (identities.length > 0) this.#parts.proved(identities.filter((name) => name !== ''))
    if (this.#entering.size === 0) this.#say('Where to? /join ADDRESS enters a room.')
  }

  #takeRoom(id: number, { action }: Room): void {
    switch (action.case) {
      case 'joined':
        return this.#takeJoined(id, action.value)
      case 'left': {
        const { address } = action.value
        for (const [entry, place] of this.#entering) {
          if (place === address) this.#entering.delete(entry)
        }
        this.#whereabouts.leave(address)
        if (this.#question?.place === address) this.#question = undefined
        this.#say(wordsOfLeft(action.value))
        return this.#askInLobby()
      }
      case 'lost':
        return this.#say(wordsOfLost(action.value))
    }
  }

  #takeJoined(id: number, joined: Joined): void {
    this.#inside = true
    this.#whereabouts.enter(joined, this.#entering.delete(id))
    this.#say(wordsOfJoined(joined))
  }

  /** In the main lobby nothing is asked, and somebody without an identity may prove one. */
  #askInLobby(): void {
    if (this.#inside || this.#question || this.#entering.size > 0) return
    const ask = { case: undefined }
    const facts = { acceptor: 'token', place: '', others: [], deadlineMs: 0, ask }
    this.#question = new Question('', facts)
    this.#sayAll(this.#question.lines)
  }

  #sayAll(lines: readonly string[]): void {
    for (const line of lines) this.#say(line)
  }

  #end(line: string): void {
    this.#over = true
    this.#parts.line(line)
  }
}
