/** What happens to the client by itself, kept until the runner asks for it by its name. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Client, LockStep, Lost, PorthouseError, Room } from '@porthouse/client'
import type { HappenedSchema } from '@porthouse/proto/conformance/v1/peer'
import {
  type ChallengeSchema,
  Outcome as LockOutcome,
  type VerdictSchema,
} from '@porthouse/proto/v1/lock_step'
import { codeFields } from './outcome.ts'

type Happened = MessageInitShape<typeof HappenedSchema>

export class Happenings {
  readonly #here = new Map<string, Happened[]>()
  readonly #awaited = new Map<string, ((happened: Happened) => void)[]>()

  /** The first of this name that nobody has been told. */
  next(name: string): Promise<Happened> {
    const happened = this.#here.get(name)?.shift()
    if (happened) return Promise.resolve(happened)
    return new Promise((resolve) => {
      this.#awaited.set(name, [...(this.#awaited.get(name) ?? []), resolve])
    })
  }

  step(step: LockStep): void {
    if (step.kind === 'challenge') this.#tell('challenge', { challenge: wireChallenge(step) })
    else this.#tell('verdict', { verdict: wireVerdict(step) })
  }

  watch(client: Client): void {
    client.on('reconnecting', ({ error }) => this.#tell('reconnecting', codeOf(error)))
    client.on('reconnected', ({ rooms }) => {
      this.#tell('reconnected', {
        rooms: rooms.map(({ address, recovered }) => ({ address, recovered })),
      })
    })
    client.on('gap', (gap) => this.#tell('gap', lostFields(gap)))
    client.on('lost', (lost) => this.#tell('lost', lostFields(lost)))
    client.on('drop', ({ error, address = '' }) => {
      this.#tell('drop', { ...codeOf(error), address })
    })
    client.on('rejected', (error) => this.#tell('rejected', codeOf(error)))
    client.on('closed', ({ error }) => this.#tell('closed', error ? codeOf(error) : {}))
  }

  /** `past`: whether the join asked for something of the past. */
  watchRoom(room: Room, past: boolean): void {
    const { address } = room
    let caughtUp = !past
    room.on('caughtUp', ({ sequence }) => {
      caughtUp = true
      this.#tell('caught_up', { address, toSequence: sequence })
    })
    // It may have been there before anybody could listen.
    void room.caughtUp.then(
      () => caughtUp || this.#tell('caught_up', { address }),
      () => {},
    )
    room.on('cursor', ({ sequence }) => this.#tell('cursor', { address, toSequence: sequence }))
    room.on('presence', ({ count }) => this.#tell('presence', { address, count }))
    room.on('changed', () => this.#tell('changed', { address }))
  }

  #tell(name: string, facts: Happened): void {
    const happened = { name, ...facts }
    const awaited = this.#awaited.get(name)?.shift()
    if (awaited) return awaited(happened)
    this.#here.set(name, [...(this.#here.get(name) ?? []), happened])
  }
}

const codeOf = ({ code }: PorthouseError) => codeFields(code)

function lostFields({ address, from, to, count, code }: Lost): Happened {
  return { address, fromSequence: from, toSequence: to, count, ...codeFields(code) }
}

function wireChallenge(
  step: Extract<LockStep, { kind: 'challenge' }>,
): MessageInitShape<typeof ChallengeSchema> {
  const { acceptor, place, depth, triesLeft, deadlineMs, others, ask } = step.challenge
  const facts = { acceptor, place, depth, triesLeft, deadlineMs, others: [...others] }
  switch (ask.kind) {
    case 'nothing':
      return facts
    case 'data':
      return { ...facts, ask: { case: 'data', value: ask.data } }
    case 'prompts': {
      const { name, instruction, prompts } = ask
      const value = { name, instruction, prompts: prompts.map((each) => ({ ...each })) }
      return { ...facts, ask: { case: 'prompts', value } }
    }
    case 'nonce':
      return { ...facts, ask: { case: 'nonce', value: { nonce: ask.nonce, socket: ask.socket } } }
    case 'scram': {
      const { nonce, salt, iterations, socket } = ask
      return { ...facts, ask: { case: 'scram', value: { nonce, salt, iterations, socket } } }
    }
    case 'visit': {
      const { url, userCode, completeUrl } = ask
      return { ...facts, ask: { case: 'visit', value: { url, userCode, completeUrl } } }
    }
  }
}

const outcomes = {
  passed: LockOutcome.PASSED,
  failed: LockOutcome.FAILED,
  dropped: LockOutcome.DROPPED,
}

function wireVerdict(
  step: Extract<LockStep, { kind: 'verdict' }>,
): MessageInitShape<typeof VerdictSchema> {
  const { outcome, code, triesLeft, values } = step.verdict
  const facts = { outcome: outcomes[outcome], triesLeft, values: { ...values } }
  return code === undefined ? facts : { ...facts, ...codeFields(code) }
}
