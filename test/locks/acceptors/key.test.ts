/** Logging in by a connection key, and all ways to do without it. */
import { randomBytes, randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { ScramProofSchema, ScramStartSchema } from '@porthouse/proto/v1/lock_step'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newConnectionKey, parseConnectionKey } from '../../../gateway/identity/connection-keys.ts'
import type { LockContext, Response } from '../../../gateway/locks/acceptor.ts'
import { keyAcceptor } from '../../../gateway/locks/acceptors/key.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { asked, BOILER, contextOf, GATEWAY, outcomeOf, SOCKET } from '../../support/before-lock.ts'
import { type Exchange, hmac, prove, randomOf, signed } from '../../support/key-login.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const WRONG = 'UNAUTHENTICATED'
const NONCE = new Uint8Array(16).fill(7)

function gateway(expiresAt?: Date) {
  const store = new MemoryStore()
  store.room('acme/boiler')
  store.room('other/room')
  const id: string = randomUUID()
  const { secret, data } = newConnectionKey(id, randomBytes(32), randomBytes(16))
  const credential = store.credential(
    'acme',
    'connection-key',
    { ...data },
    {
      id,
      ...(expiresAt && { expiresAt }),
    },
  )
  const urls = () => [GATEWAY]
  const acceptor = keyAcceptor({ store: store as unknown as Store, urls, random: randomBytes })
  return { store, acceptor, id, secret, credential, data }
}

type Hub = ReturnType<typeof gateway>

function start(key: string, nonce: Uint8Array = NONCE, url = GATEWAY): Response {
  return { case: 'scramStart', value: create(ScramStartSchema, { key, nonce, gateway: url }) }
}

function proofOf(proof: Uint8Array): Response {
  return { case: 'scramProof', value: create(ScramProofSchema, { proof }) }
}

/** As far as the gateway's question. */
async function begun({ acceptor, id }: Hub, context: LockContext<undefined>, key = id) {
  const first = asked(await acceptor.begin(context), undefined)
  const { ask, state } = asked(await acceptor.answer(start(key), context, first.state), 'scram')
  const { nonce: serverNonce, salt, iterations, socket } = ask.value
  const place = context.place?.address ?? ''
  const exchange: Exchange = {
    ...{ gateway: GATEWAY, socket, key, place, clientNonce: NONCE, serverNonce, salt, iterations },
  }
  return { exchange, state }
}

async function login(
  hub: Hub,
  { context = contextOf<undefined>(), secret = hub.secret, wrong = {} as Partial<Exchange> } = {},
) {
  const { exchange, state } = await begun(hub, context)
  const { proof, serverSignature } = prove(randomOf(secret), { ...exchange, ...wrong })
  const outcome = outcomeOf(await hub.acceptor.answer(proofOf(proof), context, state))
  return { outcome, serverSignature }
}

describe('the right key', () => {
  test('proves the account, and the gateway proves that it knows the key', async () => {
    const hub = gateway()
    const { outcome, serverSignature } = await login(hub)
    expect(outcome).toEqual({
      acceptor: 'key',
      account: hub.credential.account,
      owner: true,
      credential: hub.id,
      grants: [],
      values: { account: 'acme', server_signature: serverSignature.toString('base64') },
    })
    expect(hub.acceptor.finished(contextOf({ proofs: [outcome as never] }))).toBe(true)
    const place = { address: 'room:other/room', account: 'other' }
    expect(hub.acceptor.finished(contextOf({ proofs: [outcome as never], place }))).toBe(false)
  })

  test('in the main lobby', async () => {
    const { outcome } = await login(gateway(), { context: contextOf({ place: undefined }) })
    expect(outcome).toMatchObject({ owner: true })
  })

  test('with its id in upper case, which signs it in lower case', async () => {
    const hub = gateway()
    const context = contextOf<undefined>()
    const { exchange, state } = await begun(hub, context, hub.id.toUpperCase())
    const { proof } = prove(randomOf(hub.secret), { ...exchange, key: hub.id })
    const outcome = outcomeOf(await hub.acceptor.answer(proofOf(proof), context, state))
    expect(outcome).toMatchObject({ owner: true })
  })

  test('past its expiry is told so, and before it ends with it', async () => {
    const hub = gateway(new Date(1_000_000))
    expect((await login(hub)).outcome).toBe('PROOF_EXPIRED')
    const context = contextOf<undefined>({ now: 999_999 })
    expect((await login(hub, { context })).outcome).toMatchObject({
      expiresAt: new Date(1_000_000),
    })
  })
})

describe('refused', () => {
  test('a wrong key, the key of another account, one that was deleted meanwhile', async () => {
    const hub = gateway()
    const { secret } = newConnectionKey(hub.id, randomBytes(32), randomBytes(16))
    expect((await login(hub, { secret })).outcome).toBe(WRONG)
    const place = { address: 'room:other/room', account: 'other', room: 'room' }
    expect((await login(hub, { context: contextOf({ place }) })).outcome).toBe(WRONG)
    const context = contextOf<undefined>()
    const { exchange, state } = await begun(hub, context)
    hub.store.deleteCredential(hub.id)
    const { proof } = prove(randomOf(hub.secret), exchange)
    expect(outcomeOf(await hub.acceptor.answer(proofOf(proof), context, state))).toBe(WRONG)
  })

  test('a credential of another kind', async () => {
    const hub = gateway()
    hub.store.client('acme/anna')
    const id: string = randomUUID()
    hub.store.credential('acme/anna', 'password', { ...hub.data }, { id })
    const context = contextOf<undefined>()
    const { exchange, state } = await begun(hub, context, id)
    expect(Buffer.from(exchange.salt).toString('base64')).not.toBe(hub.data.salt)
    const { proof } = prove(randomOf(hub.secret), exchange)
    expect(outcomeOf(await hub.acceptor.answer(proofOf(proof), context, state))).toBe(WRONG)
  })

  test('what is kept of a key is not enough to log in', async () => {
    const hub = gateway()
    const { storedKey, serverKey, salt } = hub.data
    const kept = [storedKey, serverKey, salt].map((each) => Buffer.from(each, 'base64'))
    for (const stolen of kept) {
      const context = contextOf<undefined>()
      const { exchange, state } = await begun(hub, context)
      // As the secret, as ClientKey, and as what ClientKey is XORed with.
      const clientSignature = hmac(kept[0]!, signed(exchange))
      const guesses = [
        prove(stolen, exchange).proof,
        stolen,
        clientSignature,
        hmac(stolen, signed(exchange)),
        Buffer.from(stolen.map((byte, i) => byte ^ clientSignature[i]!)),
      ]
      for (const guess of guesses) {
        expect(outcomeOf(await hub.acceptor.answer(proofOf(guess), context, state))).toBe(WRONG)
      }
    }
    expect(JSON.stringify(hub.data)).not.toContain(randomOf(hub.secret).toString('base64'))
  })

  test('a proof for another gateway, socket, place, key, nonce, salt or iterations', async () => {
    const hub = gateway()
    const right = { gateway: GATEWAY, socket: SOCKET, place: BOILER.address, key: hub.id }
    const text = fc.constantFrom('gateway', 'socket', 'place', 'key' as const)
    await fc.assert(
      fc.asyncProperty(text, fc.string(), async (part, other) => {
        fc.pre(right[part as 'key'] !== other)
        expect((await login(hub, { wrong: { [part]: other } })).outcome).toBe(WRONG)
      }),
      { numRuns: 40 },
    )
    const parts = ['clientNonce', 'serverNonce', 'salt'] as const
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...parts), fc.uint8Array(), async (part, other) => {
        expect((await login(hub, { wrong: { [part]: other } })).outcome).toBe(WRONG)
      }),
      { numRuns: 40 },
    )
    expect((await login(hub, { wrong: { iterations: 4097 } })).outcome).toBe(WRONG)
  })

  test('a replay: the same start gets another nonce, and the old proof is void (K12)', async () => {
    const hub = gateway()
    const context = contextOf<undefined>()
    const { exchange, state } = await begun(hub, context)
    const { proof } = prove(randomOf(hub.secret), exchange)
    const again = await begun(hub, context)
    expect(again.exchange.serverNonce).not.toEqual(exchange.serverNonce)
    expect(exchange.serverNonce).toHaveLength(32)
    expect(outcomeOf(await hub.acceptor.answer(proofOf(proof), context, again.state))).toBe(WRONG)
    const passed = await hub.acceptor.answer(proofOf(proof), context, state)
    expect(passed.outcome).toBe('passed')
  })

  test('a key that does not exist is asked for alike, each time (K14)', async () => {
    const hub = gateway()
    const context = contextOf<undefined>()
    const stranger = randomUUID()
    const real = await begun(hub, context)
    const [first, second] = [
      await begun(hub, context, stranger),
      await begun(hub, context, stranger),
    ]
    expect(first.exchange.salt).toEqual(second.exchange.salt)
    expect(first.exchange.salt).toHaveLength(real.exchange.salt.length)
    expect(first.exchange.iterations).toBe(real.exchange.iterations)
    const other = await begun(hub, context, randomUUID())
    expect(other.exchange.salt).not.toEqual(first.exchange.salt)
    const { proof } = prove(randomOf(hub.secret), first.exchange)
    expect(outcomeOf(await hub.acceptor.answer(proofOf(proof), context, first.state))).toBe(WRONG)
  })

  test('starts and proofs that are malformed, or out of order', async () => {
    const hub = gateway()
    const context = contextOf<undefined>()
    const refused = async (response: Response, state?: unknown): Promise<void> => {
      expect(outcomeOf(await hub.acceptor.answer(response, context, state))).toBe(WRONG)
    }
    await refused(start(''))
    await refused(start(hub.secret))
    await refused(start(hub.id, new Uint8Array(15)))
    await refused(start(hub.id, new Uint8Array(65)))
    await refused(start(hub.id, NONCE, 'https://evil.example'))
    await refused(proofOf(new Uint8Array(32)))
    await refused({ case: 'text', value: hub.secret })
    await refused({ case: undefined })
    const { exchange, state } = await begun(hub, context)
    await refused(start(hub.id), state)
    const { proof } = prove(randomOf(hub.secret), exchange)
    await refused(proofOf(proof.subarray(1)), state)
    await refused(proofOf(Buffer.concat([proof, Buffer.of(0)])), state)
    await refused(proofOf(new Uint8Array()), state)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), (noise) => refused(proofOf(noise), state)),
    )
  })

  test('a store that is away is no verdict', async () => {
    const hub = gateway()
    const context = contextOf<undefined>()
    const { exchange, state } = await begun(hub, context)
    hub.store.away = true
    await expect(hub.acceptor.answer(start(hub.id), context, undefined)).rejects.toThrow('away')
    const { proof } = prove(randomOf(hub.secret), exchange)
    await expect(hub.acceptor.answer(proofOf(proof), context, state)).rejects.toThrow('away')
  })
})

describe('a key as it is shown', () => {
  test('is read back, and nothing else is', () => {
    const id: string = randomUUID()
    const random = randomBytes(32)
    const { secret } = newConnectionKey(id, random, randomBytes(16))
    expect(secret).toMatch(/^phk_[0-9a-f]{32}_[\w-]{43}$/)
    expect(parseConnectionKey(secret)).toEqual({ id, random })
    const spare = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'z'}`
    const others = ['', secret.replace('phk', 'pht'), `${secret}A`, ` ${secret}`, `${secret}\n`]
    for (const other of [...others, secret.toUpperCase(), 'a'.repeat(1e6)]) {
      expect(parseConnectionKey(other)).toBeUndefined()
    }
    const read = parseConnectionKey(spare)
    if (read) expect(read.random).not.toEqual(random)
  })
})
