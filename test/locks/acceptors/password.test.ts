/** Passwords of clients (K14, K17), asked for as people type them. */
import { randomBytes } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { ResponsesSchema } from '@porthouse/proto/v1/lock_step'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { newPassword, type PasswordData } from '../../../gateway/identity/passwords.ts'
import type { LockContext, Response } from '../../../gateway/locks/acceptor.ts'
import { passwordAcceptor } from '../../../gateway/locks/acceptors/password.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { asked, contextOf, outcomeOf } from '../../support/before-lock.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const WRONG = 'UNAUTHENTICATED'
const PASSWORD = 'Zürich, 7 Äpfel'
const LATER = new Date(2_000_000)

let data: PasswordData & Record<string, string | number>
beforeAll(async () => {
  data = await newPassword(PASSWORD, randomBytes(16))
})

function gateway(expiresAt?: Date) {
  const store = new MemoryStore()
  store.room('acme/boiler')
  const anna = store.client('acme/anna', ['boiler'])
  store.client('acme/bob')
  store.client('other/anna')
  const at = expiresAt && { expiresAt }
  const credential = store.credential('acme/anna', 'password', data, { ...at })
  store.credential('other/anna', 'password', data)
  return {
    store,
    anna,
    credential,
    acceptor: passwordAcceptor({ store: store as unknown as Store }),
  }
}

function typed(...values: string[]): Response {
  return { case: 'responses', value: create(ResponsesSchema, { values }) }
}

type Hub = ReturnType<typeof gateway>

async function login({ acceptor }: Hub, values: string[], context: LockContext<undefined>) {
  const { state } = asked(await acceptor.begin(context), 'prompts')
  return outcomeOf(await acceptor.answer(typed(...values), context, state))
}

describe('the right password', () => {
  test('proves the client, by its name in the account of the place or by its address', async () => {
    const hub = gateway()
    const proof = {
      acceptor: 'password',
      account: hub.anna.account,
      client: hub.anna,
      credential: hub.credential.id,
      grants: hub.anna.grants,
      values: { client: 'client:acme/anna' },
    }
    for (const name of ['anna', 'client:acme/anna', hub.anna.id]) {
      expect(await login(hub, [name, PASSWORD], contextOf())).toEqual(proof)
    }
    const lobby = contextOf<undefined>({ place: undefined })
    expect(await login(hub, ['client:acme/anna', PASSWORD], lobby)).toEqual(proof)
    expect(hub.acceptor.finished(contextOf({ proofs: [proof] }))).toBe(true)
    expect(hub.acceptor.finished(contextOf())).toBe(false)
  })

  test('however a keyboard writes its letters', async () => {
    const hub = gateway()
    for (const form of ['NFC', 'NFD'] as const) {
      const outcome = await login(hub, ['anna', PASSWORD.normalize(form)], contextOf())
      expect(outcome).toMatchObject({ acceptor: 'password' })
    }
  })

  test('where the URL names the client is all that is asked for', async () => {
    const hub = gateway()
    const context = contextOf<undefined>({ client: hub.anna.id })
    const { ask } = asked(await hub.acceptor.begin(context), 'prompts')
    expect(ask.value.prompts).toMatchObject([{ text: 'Password: ', echo: false }])
    expect(await login(hub, [PASSWORD], context)).toMatchObject({ client: { slug: 'anna' } })
    expect(await login(hub, ['anna', PASSWORD], context)).toBe(WRONG)
  })

  test('is the latest, and one past its expiry is told so', async () => {
    const hub = gateway(LATER)
    expect(await login(hub, ['anna', PASSWORD], contextOf())).toMatchObject({ expiresAt: LATER })
    const late = contextOf<undefined>({ now: 2_000_000 })
    expect(await login(hub, ['anna', PASSWORD], late)).toBe('PROOF_EXPIRED')
    hub.store.credential('acme/anna', 'password', await newPassword('new', randomBytes(16)))
    expect(await login(hub, ['anna', PASSWORD], contextOf())).toBe(WRONG)
    expect(await login(hub, ['anna', 'new'], late)).toMatchObject({ client: { slug: 'anna' } })
  })
})

describe('asks', () => {
  test('for the client in the open, for the password without echo', async () => {
    const { ask } = asked(await gateway().acceptor.begin(contextOf()), 'prompts')
    expect(ask.value.prompts).toMatchObject([
      { text: 'Client: ', echo: true },
      { text: 'Password: ', echo: false },
    ])
  })
})

describe('refused', () => {
  test('wrong passwords, other clients, other accounts', async () => {
    const hub = gateway()
    for (const values of [
      ['anna', 'wrong'],
      ['anna', PASSWORD.toLowerCase()],
      ['bob', PASSWORD],
      ['nobody', PASSWORD],
      ['client:other/anna', PASSWORD],
      ['client:nowhere/anna', PASSWORD],
    ]) {
      expect(await login(hub, values, contextOf())).toBe(WRONG)
    }
    const lobby = contextOf<undefined>({ place: undefined })
    expect(await login(hub, ['anna', PASSWORD], lobby)).toBe(WRONG)
  })

  test('before anything is asked of the store or hashed: what cannot be one (K17)', async () => {
    const hub = gateway()
    const asks = vi.spyOn(hub.store.clients, 'find')
    for (const values of [
      [],
      ['anna'],
      ['anna', ''],
      ['', PASSWORD],
      ['anna', 'a\0b'],
      ['an\0na', PASSWORD],
      ['anna', 'a'.repeat(1025)],
      ['anna', 'ä'.repeat(513)],
      ['anna', 'a'.repeat(64 * 1024)],
      ['anna', PASSWORD, ''],
      ['anna/x', PASSWORD],
      ['room:acme/anna', PASSWORD],
      ['ANNA', PASSWORD],
    ]) {
      expect(await login(hub, values, contextOf())).toBe(WRONG)
    }
    for (const response of [{ case: undefined }, { case: 'text', value: PASSWORD }] as Response[]) {
      expect(outcomeOf(await hub.acceptor.answer(response, contextOf(), undefined))).toBe(WRONG)
    }
    expect(asks).not.toHaveBeenCalled()
  })

  test('a password that is taken away while it is checked (R51)', async () => {
    const hub = gateway()
    const { claimed } = hub.store.clients
    vi.spyOn(hub.store.clients, 'claimed').mockImplementation(async (...names) => {
      const found = await claimed(...names)
      hub.store.deleteCredential(hub.credential.id)
      return found
    })
    expect(await login(hub, ['anna', PASSWORD], contextOf())).toBe(WRONG)
  })

  test('a flood: a few wait, the others are told UNAVAILABLE, which costs no try', async () => {
    const hub = gateway()
    const gone = new AbortController()
    const context = contextOf<undefined>({ signal: gone.signal })
    const { state } = asked(await hub.acceptor.begin(context), 'prompts')
    const flood = Array.from({ length: 200 }, async () =>
      outcomeOf(await hub.acceptor.answer(typed('anna', 'wrong'), context, state)),
    )
    // Those that wait are not worth their work once their locks are gone.
    gone.abort()
    const told = await Promise.all(flood)
    expect(new Set(told)).toEqual(new Set([WRONG, 'UNAVAILABLE']))
    expect(told.filter((each) => each === WRONG).length).toBeLessThanOrEqual(2)
    expect(await login(hub, ['anna', PASSWORD], contextOf())).toMatchObject({
      acceptor: 'password',
    })
  })

  test('a store that is away is no verdict', async () => {
    const hub = gateway()
    hub.store.away = true
    await expect(login(hub, ['anna', PASSWORD], contextOf())).rejects.toThrow('away')
  })
})

describe('what is kept', () => {
  test('is a salted hash that differs for the same password', async () => {
    const other = await newPassword(PASSWORD, randomBytes(16))
    expect(other.hash).not.toBe(data.hash)
    expect(JSON.stringify(other)).not.toContain('Zürich')
    await expect(newPassword('', randomBytes(16))).rejects.toThrow('empty')
    await expect(newPassword('a'.repeat(1025), randomBytes(16))).rejects.toThrow('1,024')
  })
})
