import { createHash, randomBytes } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { cookieOf, newLogin, realmOf } from '../../../gateway/identity/logins.ts'
import type { LockStep } from '../../../gateway/locks/acceptor.ts'
import { cookieAcceptor } from '../../../gateway/locks/acceptors/cookie.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { contextOf, PLACE, type Situation } from '../../support/lock-context.ts'
import { MemoryStore } from '../../support/memory-store.ts'

const HOME = 'https://hub.example'
const trustsPage = ({ origin }: { origin?: string | undefined }) => origin === HOME
const failed = (code: Code) => ({ outcome: 'failed', code })

let store: MemoryStore
let cookie: string

beforeEach(async () => {
  store = new MemoryStore()
  store.room('acme/boiler')
  store.client('acme/alice', ['boiler'])
  cookie = await logIn('acme', 'alice')
})

async function logIn(account: string, client: string, expiresAt = new Date(Date.now() + 60_000)) {
  const made = newLogin(randomBytes(32), realmOf('https://id.example'))
  await store.logins.create({ hash: made.hash, account, client, expiresAt })
  return made.cookie
}

function begin(headers: Record<string, string>, options = {}, situation: Situation = {}) {
  const acceptor = cookieAcceptor({ store: store as unknown as Store, trustsPage })
  const handshake = { headers }
  return acceptor.begin(contextOf(acceptor, options, { handshake, ...situation }))
}

describe('the cookie of a login', () => {
  const shown = () => ({ cookie: `a=b; porthouse_login=${cookie}; c=d`, origin: HOME })

  test('proves its client, with the rights of that client', async () => {
    const step = (await begin(shown())) as Extract<LockStep, { outcome: 'passed' }>
    expect(step).toMatchObject({
      outcome: 'passed',
      proof: {
        acceptor: 'cookie',
        account: { slug: 'acme' },
        client: { slug: 'alice' },
        values: { client: 'client:acme/alice' },
        grants: [{ room: 'boiler', send: true }],
        expiresAt: expect.any(Date),
      },
    })
    expect(step.proof.place).toBeUndefined()
  })

  test('proves it in the main lobby as well', async () => {
    expect(await begin(shown(), {}, { place: undefined })).toMatchObject({ outcome: 'passed' })
  })

  test('is not asked for twice while it counts', async () => {
    const acceptor = cookieAcceptor({ store: store as unknown as Store, trustsPage })
    const step = (await begin(shown())) as Extract<LockStep, { outcome: 'passed' }>
    const finished = (situation: Situation, options = {}) =>
      acceptor.finished(contextOf(acceptor, options, { proofs: [step.proof], ...situation }))
    expect(finished({})).toBe(true)
    expect(finished({ now: Date.now() + 120_000 })).toBe(false)
    expect(finished({ place: { ...PLACE, account: 'other' } })).toBe(false)
    expect(finished({}, { name: 'door', value_sha256: '0'.repeat(64) })).toBe(false)
  })

  test.each([
    ['no cookie', {}],
    ['another value', { cookie: `porthouse_login=${'A'.repeat(43)}.${'B'.repeat(43)}` }],
    ['an empty value', { cookie: 'porthouse_login=' }],
    ['a value that is none', { cookie: "porthouse_login='; DROP TABLE logins--" }],
    ['a name that only ends so', { cookie: `x_porthouse_login=${'A'.repeat(43)}` }],
  ])('%s proves nothing', async (_name, headers) => {
    expect(await begin({ ...headers, origin: HOME })).toEqual(failed(Code.UNAUTHENTICATED))
  })

  test('two of them prove nothing: a neighbour may have set one', async () => {
    const other = await logIn('acme', 'alice')
    const headers = { cookie: `porthouse_login=${other}; porthouse_login=${cookie}`, origin: HOME }
    expect(await begin(headers)).toEqual(failed(Code.UNAUTHENTICATED))
  })

  test('of another realm is another cookie', async () => {
    const [secret] = cookie.split('.')
    const forged = `${secret}.${realmOf('https://evil.example')}`
    const headers = { cookie: `porthouse_login=${forged}`, origin: HOME }
    expect(await begin(headers)).toEqual(failed(Code.UNAUTHENTICATED))
  })

  test('counts for a page that is trusted alone (H5)', async () => {
    const { cookie: held } = shown()
    expect(await begin({ cookie: held })).toEqual(failed(Code.ORIGIN_NOT_ALLOWED))
    expect(await begin({ cookie: held, origin: 'https://evil.example' })).toEqual(
      failed(Code.ORIGIN_NOT_ALLOWED),
    )
    expect(await begin({ cookie: held, origin: 'null' })).toEqual(failed(Code.ORIGIN_NOT_ALLOWED))
  })

  test('past its expiry is told so', async () => {
    cookie = await logIn('acme', 'alice', new Date(Date.now() - 1))
    expect(await begin(shown())).toEqual(failed(Code.PROOF_EXPIRED))
  })

  test('of another account proves nothing here', async () => {
    store.client('other/alice')
    cookie = await logIn('other', 'alice')
    expect(await begin(shown())).toEqual(failed(Code.UNAUTHENTICATED))
  })

  test('of a client that is gone proves nothing', async () => {
    store.deleteClient('acme/alice')
    expect(await begin(shown())).toEqual(failed(Code.UNAUTHENTICATED))
  })

  test('is no pass while the store is away', async () => {
    store.away = true
    await expect(begin(shown())).rejects.toThrow('away')
  })

  test('what is stored is no cookie (S1)', () => {
    const made = newLogin(randomBytes(32), realmOf('x'))
    expect(Buffer.from(made.hash)).toEqual(createHash('sha256').update(made.cookie).digest())
  })
})

describe('a secret cookie', () => {
  const options = {
    name: 'door',
    value_sha256: createHash('sha256').update('sesame').digest('hex'),
  }

  test('lets into this very place, as nobody', async () => {
    expect(await begin({ cookie: 'door=sesame' }, options)).toEqual({
      outcome: 'passed',
      proof: { acceptor: 'cookie', values: {}, place: PLACE.address, grants: [] },
    })
  })

  test.each([
    'door=',
    'door=sesamé',
    'door=Sesame',
    'other=sesame',
    'door=sesame; door=sesame',
    '',
  ])('%j does not', async (held) => {
    expect(await begin({ cookie: held }, options)).toEqual(failed(Code.UNAUTHENTICATED))
  })

  test('is not taken from a page that nobody trusts', async () => {
    const headers = { cookie: 'door=sesame', origin: 'https://evil.example' }
    expect(await begin(headers, options)).toEqual(failed(Code.ORIGIN_NOT_ALLOWED))
  })

  test.each([
    [{ name: 'door' }],
    [{ value_sha256: '0'.repeat(64) }],
    [{ name: 'a b', value_sha256: '0'.repeat(64) }],
    [{ name: 'door', value_sha256: 'sesame' }],
    [{ nmae: 'door' }],
  ])('options %j are refused', (wrong) => {
    const acceptor = cookieAcceptor({ store: store as unknown as Store, trustsPage })
    expect(() => acceptor.readOptions(wrong)).toThrow('options')
  })
})

test('a cookie is found among any others', () => {
  const value = fc.stringMatching(/^[!#-+\--:<-[\]-~]{0,20}$/)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.stringMatching(/^[a-m]{1,3}$/), value)),
      value,
      (rest, own) => {
        const pairs = [...rest.map(([name, text]) => `${name}=${text}`), `z=${own}`]
        expect(cookieOf({ cookie: pairs.join('; ') }, 'z')).toBe(own)
      },
    ),
  )
})
