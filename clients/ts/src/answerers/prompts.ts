import { clientAddress } from '../address.ts'
import type { Answerer } from '../answerer.ts'
import type { Challenge, Prompt } from '../lock-step.ts'

/** A client's password. The client is `ACCOUNT/CLIENT`, with or without its `client:`. */
export function password({ client, password }: { client: string; password: string }): Answerer {
  const address = clientAddress(client)
  return {
    acceptor: 'password',
    nominates: true,
    answer({ ask }) {
      if (ask.kind !== 'prompts') return undefined
      // Where the URL names the client, its password alone is asked for.
      const [first, second] = ask.prompts.map(({ echo }) => echo)
      if (ask.prompts.length === 1 && first === false) return [password]
      if (ask.prompts.length === 2 && first && second === false) return [address, password]
      return undefined
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
