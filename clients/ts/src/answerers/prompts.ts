import { clientAddress } from '../address.ts'
import type { Answerer } from '../answerer.ts'
import type { Challenge, Prompt } from '../lock-step.ts'

/**
 * A client's password, or a function that asks for it. The client is `ACCOUNT/CLIENT`, with or
 * without its `client:`.
 */
export function password(of: {
  readonly client: string
  readonly password: string | (() => Promise<string | undefined>)
}): Answerer {
  const address = clientAddress(of.client)
  return {
    acceptor: 'password',
    nominates: true,
    async answer({ ask }) {
      if (ask.kind !== 'prompts') return undefined
      // Where the URL names the client, its password alone is asked for.
      const seen = ask.prompts.map(({ echo }) => echo).join()
      if (seen !== 'false' && seen !== 'true,false') return undefined
      const word = typeof of.password === 'string' ? of.password : await of.password()
      if (word === undefined) return undefined
      return seen === 'false' ? [word] : [address, word]
    },
  }
}

/** The predefined response of a device, or a function that finds it by the challenge. */
export function preset(
  response: string | Uint8Array | ((challenge: Uint8Array) => string | Uint8Array),
): Answerer {
  const find = typeof response === 'function' ? response : () => response
  return {
    acceptor: 'preset',
    ...(typeof response !== 'function' && { ahead: () => response }),
    answer: ({ ask }) => (ask.kind === 'data' ? find(ask.data) : undefined),
  }
}

/** Knocks, and says so much to those inside. Connecting waits for them as long as the lock does. */
export function knock(says = ''): Answerer {
  return {
    acceptor: 'knock',
    answer: ({ ask }) => (ask.kind === 'prompts' ? [says] : says),
  }
}

/** A dialogue; `challenge` has its title and instruction as well. */
export interface Dialogue {
  readonly prompts: readonly Prompt[]
  readonly name: string
  readonly instruction: string
  readonly challenge: Challenge
  readonly signal: AbortSignal
}

/**
 * Has a person answer whatever any acceptor prompts for, such as `tty` and `password`: one text for
 * each prompt, or undefined to give up. Asked again after a wrong answer while tries are left.
 */
export function prompts(
  ask: (dialogue: Dialogue) => Promise<readonly string[] | undefined>,
): Answerer {
  return {
    acceptor: '*',
    tries: Number.POSITIVE_INFINITY,
    answer(challenge, { signal }) {
      if (challenge.ask.kind !== 'prompts') return undefined
      const { prompts, name, instruction } = challenge.ask
      return ask({ prompts, name, instruction, challenge, signal })
    },
  }
}
