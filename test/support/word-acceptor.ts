/** An acceptor for tests: the right answer is its name, and it proves a place and nobody. */
import { Code } from '@porthouse/proto/v1/code'
import type { Acceptor, LockContext, LockStep } from '../../gateway/locks/acceptor.ts'
import type { Proof } from '../../gateway/locks/proof.ts'

export interface WordAcceptor extends Acceptor {
  /** How often it was asked what it asks, and to judge. */
  begun: number
  judged: number
  /** Nothing is judged until it resolves. */
  gate: Promise<void>
}

type Change = Partial<Omit<Acceptor, 'name'>> & { readonly proof?: Partial<Proof> }

/** `change`: what is different about it; `proof`: what else it proves. */
export function wordAcceptor(name: string, { proof, ...change }: Change = {}): WordAcceptor {
  const acceptor: WordAcceptor = {
    name,
    begun: 0,
    judged: 0,
    gate: Promise.resolve(),
    readOptions: (options) => options,
    nominable: false,
    prompt: true,
    finished: ({ proofs, place }) =>
      proofs.some((each) => each.acceptor === name && each.place === place?.address),
    begin() {
      acceptor.begun++
      return { outcome: 'challenge', ask: { case: undefined } }
    },
    async answer(response, context): Promise<LockStep> {
      acceptor.judged++
      await acceptor.gate
      const right = response.case === 'text' && response.value === name
      if (!right) return { outcome: 'failed', code: Code.UNAUTHENTICATED }
      return { outcome: 'passed', proof: { ...proofOf(name, context), ...proof } }
    },
    ...change,
  }
  return acceptor
}

export function proofOf(acceptor: string, { place, values }: LockContext): Proof {
  const told = { ...values, [acceptor]: 'proved' }
  return { acceptor, values: told, grants: [], ...(place && { place: place.address }) }
}
