/** The `identity` acceptor: who are you? By whatever lock it takes to find out (R13). */
import { Code } from '@porthouse/proto/v1/code'
import { z } from 'zod'
import { isExpired } from '../../identity/expiry.ts'
import { checkSlug } from '../../protocol/name.ts'
import type { Acceptor, LockContext, LockStep } from '../acceptor.ts'
import { type Flow, remaining } from '../flow.ts'
import { clientAddress, isNamed, type Proof } from '../proof.ts'
import { type Acceptors, type LockDefaults, readFlowJson } from '../read-flow.ts'
import { jsonSchema, readObject } from './options.ts'
import { failed, WRONG } from './steps.ts'

/** What an identity may be proved by where the options do not say. */
const USUAL = ['ssh-key', 'token', 'key', 'oidc']

const CLIENTS_MAX = 256

const OPTIONS = z.strictObject({
  clients: z.array(z.string()).min(1).max(CLIENTS_MAX).optional(),
  by: z.record(z.string(), z.unknown()).optional(),
})

interface Options {
  /** Slugs; absent: any client of the account, or its owner. */
  readonly clients?: ReadonlySet<string>
  readonly by: Flow
}

const NAME = 'identity'

/** `acceptors` are asked for when options are read, for this one is among them. */
export function identityAcceptor(parts: {
  readonly acceptors: () => Acceptors
  readonly defaults: LockDefaults
}): Acceptor<Options> {
  const refuses = (context: LockContext<Options>) => {
    const isWrong = !identityIn(context) && isOfSomebodyElse(context, parts.acceptors())
    return isWrong ? Code.ENTRY_NOT_PERMITTED : undefined
  }
  return {
    name: NAME,
    readOptions: (options) => readOptions(options, parts.acceptors(), parts.defaults),
    optionsSchema: () => jsonSchema(OPTIONS),
    nominable: false,
    prompt: true,
    finished: (context) => identityIn(context) !== undefined,
    needs: ({ options }) => options.by,
    refuses,
    begin(context): LockStep {
      const proof = identityIn(context)
      if (proof) return { outcome: 'passed', proof: asIdentity(proof) }
      const code = refuses(context)
      return code ? failed(code) : { outcome: 'needs', flow: context.options.by }
    },
    answer: () => WRONG,
  }
}

function readOptions(json: unknown, acceptors: Acceptors, defaults: LockDefaults): Options {
  const { clients, by } = readObject(OPTIONS, json)
  for (const slug of clients ?? []) checkSlug(slug, 'client')
  // Without itself, which nobody could ever prove.
  const others = new Map([...acceptors].filter(([name]) => name !== NAME))
  const flow = readFlowJson(by ?? usual(others), others, defaults, 'options.by')
  return { by: flow, ...(clients && { clients: new Set(clients) }) }
}

/** Those that need no options. */
function usual(acceptors: Acceptors) {
  const flows = USUAL.filter((name) => acceptors.get(name)?.nominable)
  return { any: { flows: flows.map((acceptor) => ({ lock: { acceptor } })) } }
}

/** The proof of a client of the place's account, one that is asked for. */
function identityIn({ proofs, place, options, now }: LockContext<Options>): Proof | undefined {
  if (!place) return undefined
  return proofs.find((proof) => {
    const { account, client, owner } = proof
    if (!account || !isNamed(account, place.account) || isExpired(proof, now)) return false
    if (proof.place !== undefined && proof.place !== place.address) return false
    if (!options.clients) return client !== undefined || owner === true
    return client !== undefined && options.clients.has(client.slug)
  })
}

function asIdentity(proof: Proof): Proof {
  const { account, client } = proof
  const values: Record<string, string> = client
    ? { client: clientAddress(account!, client) }
    : { account: account!.slug }
  return { ...proof, acceptor: NAME, values }
}

/** All that it would ask for is proved already, by somebody else than it asks for. */
function isOfSomebodyElse(context: LockContext<Options>, acceptors: Acceptors): boolean {
  const left = remaining(context.options.by, ({ acceptor, options }) => {
    const found = acceptors.get(acceptor)
    return found?.finished({ ...context, options: options as never }) ?? false
  })
  return left === undefined
}
