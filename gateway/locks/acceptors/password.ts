/** The `password` acceptor: a client's password, asked for as RFC 4256 asks (R18). */
import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { PromptsSchema } from '@porthouse/proto/v1/lock_step'
import { Bounded } from '../../identity/bounded.ts'
import { readClientAddress } from '../../identity/client-address.ts'
import { isPassword, type PasswordData, passwordFault } from '../../identity/passwords.ts'
import type { Acceptor, Ask, LockContext, LockStep } from '../acceptor.ts'
import type { AcceptorParts } from './index.ts'
import { NO_OPTIONS } from './options.ts'
import { byWorth, isOfPlace, isProved } from './proved.ts'
import { failed, passedBy, WRONG } from './steps.ts'

const NAME = 'password'

/** Half of the thread pool, and of memory 32 MiB each. */
const HASHES_AT_ONCE = 2
/** About six seconds of work, so that whoever waits is still within his deadline. */
const HASHES_WAITING_MAX = 64

export function passwordAcceptor({ store }: Pick<AcceptorParts, 'store'>): Acceptor<undefined> {
  const hashing = new Bounded(HASHES_AT_ONCE, HASHES_WAITING_MAX)
  return {
    name: NAME,
    ...NO_OPTIONS,
    nominable: true,
    prompt: true,
    finished: (context) => isProved(NAME, context),
    begin: (context) => ({ outcome: 'challenge', ask: askOf(named(context) !== undefined) }),
    async answer(response, context): Promise<LockStep> {
      if (response.case !== 'responses') return WRONG
      const { place, now, signal } = context
      const { values } = response.value
      const known = named(context)
      const password = values.at(-1) ?? ''
      if (values.length !== (known ? 1 : 2) || passwordFault(password)) return WRONG
      const address = known ?? readName(values[0]!, context)
      if (!address) return WRONG
      const claimed = await store.clients.claimed(address.account, address.client, 'password')
      const [credential] = byWorth(claimed?.credentials ?? [], now)
      const kept = credential?.data as PasswordData | undefined
      const right = await hashing.run(() => isPassword(password, kept), signal)
      if (right === undefined) return failed(Code.UNAVAILABLE)
      if (!right || !claimed || !credential) return WRONG
      if (!isOfPlace(claimed.client.account, place)) return WRONG
      // It may have been taken away while this one waited for its turn (R51).
      if (!(await store.credentials.find(credential.id))) return WRONG
      return passedBy(NAME, claimed.client, credential, now)
    },
  }
}

type Name = { readonly account: string; readonly client: string }

/** The client that the URL names (R4). */
function named({ place, socket }: LockContext): Name | undefined {
  return place && socket.client ? { account: place.account, client: socket.client } : undefined
}

/** What was typed: a client's address or, where there is a place, its name in that account. */
function readName(typed: string, { place }: LockContext): Name | undefined {
  if (typed.includes(':') || !place) return readClientAddress(typed)
  return readClientAddress(`client:${place.account}/${typed}`)
}

function askOf(known: boolean): Ask {
  const password = { text: 'Password: ', echo: false }
  const prompts = known ? [password] : [{ text: 'Client: ', echo: true }, password]
  return { case: 'prompts', value: create(PromptsSchema, { prompts }) }
}
