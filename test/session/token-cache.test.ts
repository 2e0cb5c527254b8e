/** Logins by a token that was read just before: no change of it goes unfelt (R51). */
import { randomBytes, randomUUID } from 'node:crypto'
import { beforeEach, expect, test, vi } from 'vitest'
import { RecordCache } from '../../gateway/identity/record-cache.ts'
import { newToken } from '../../gateway/identity/tokens.ts'
import { tokenAcceptor } from '../../gateway/locks/acceptors/token.ts'
import type { Store, TokenRecord } from '../../gateway/store/store.ts'
import { answer } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'

let hall: Hall
let cache: RecordCache<TokenRecord>
let secret: string

beforeEach(async () => {
  const tokens = {
    find: (id: string) => cache.find(id),
    recent: (id: string) => cache.recent(id),
  }
  hall = new Hall({}, [tokenAcceptor({ store: undefined as unknown as Store, tokens })])
  const { store } = hall
  const uptime = () => hall.now
  cache = new RecordCache(store.tokens, store.changes, { kind: 'token', max: 10, uptime })
  await Promise.all([hall.live.start(), cache.start()])
  store.room('acme/boiler')
  secret = store.token('acme', ['boiler'])
})

function asked() {
  return vi.spyOn(hall.store.tokens, 'find')
}

async function login(by: string): Promise<Guest & { told: string }> {
  const guest = hall.open().say(answer(1, by))
  await hall.settle()
  return Object.assign(guest, { told: guest.heard().join() })
}

test('the second login asks nobody, and is answered within the turn', async () => {
  expect((await login(secret)).told).toBe('1 verdict passed')
  const questions = asked()
  const guest = hall.open().say(answer(1, secret))
  hall.endTurn()
  expect(guest.heard()).toEqual(['1 verdict passed'])
  expect(questions).not.toHaveBeenCalled()
})

test('a wrong secret is told the same as one that is unknown, after a question', async () => {
  await login(secret)
  const questions = asked()
  const { token } = [...(await login(secret)).session.proofs][0]!
  const wrong = newToken(token!.id, randomBytes(32)).secret
  const unknown = newToken(randomUUID(), randomBytes(32)).secret
  expect((await login(wrong)).told).toBe((await login(unknown)).told)
  expect(questions).toHaveBeenCalledTimes(2)
})

test('deleted, it opens nothing, and its sockets go', async () => {
  const guest = await login(secret)
  hall.store.deleteToken(secret)
  const late = hall.open().say(answer(1, secret))
  await hall.settle()
  expect(late.heard().join()).toMatch(/failed UNAUTHENTICATED/)
  expect(guest.heard().join()).toMatch(/drop REVOKED/)
})

test('regenerated, the old secret opens nothing, and the new one does', async () => {
  await login(secret)
  const next = hall.store.regenerateToken(secret)
  expect((await login(secret)).told).toMatch(/failed UNAUTHENTICATED/)
  expect((await login(next)).told).toBe('1 verdict passed')
})

test('regenerated, the new secret opens even before anybody was told', async () => {
  await login(secret)
  const tell = vi.spyOn(hall.store, 'tell').mockImplementation(() => {})
  const next = hall.store.regenerateToken(secret)
  expect((await login(next)).told).toBe('1 verdict passed')
  tell.mockRestore()
})

test('deleted while it was used, the socket goes as soon as that is told', async () => {
  await login(secret)
  const tell = vi.spyOn(hall.store, 'tell').mockImplementation(() => {})
  hall.store.deleteToken(secret)
  const guest = await login(secret)
  expect(guest.told).toBe('1 verdict passed')
  tell.mockRestore()
  const id = guest.session.proofs[0]!.token!.id
  hall.store.tell({ kind: 'token', id })
  await hall.settle()
  expect(guest.heard().join()).toMatch(/drop REVOKED/)
  expect((await login(secret)).told).toMatch(/failed UNAUTHENTICATED/)
})

test('deleted with nobody told, it opens for a second at most', async () => {
  await login(secret)
  vi.spyOn(hall.store, 'tell').mockImplementation(() => {})
  hall.store.deleteToken(secret)
  hall.now += 1_000
  expect((await login(secret)).told).toMatch(/failed UNAUTHENTICATED/)
})

test('while no changes are told, each login asks the store', async () => {
  await login(secret)
  Object.assign(hall.store.changes, { watching: false })
  const questions = asked()
  for (let i = 0; i < 3; i++) await login(secret)
  expect(questions).toHaveBeenCalledTimes(3)
  hall.store.away = true
  expect((await login(secret)).told).toMatch(/failed UNAVAILABLE/)
})

test('past its expiry it is expired, from the first moment on', async () => {
  const expiresAt = new Date(hall.now + 300)
  const short = hall.store.token('acme', ['boiler'], { expiresAt })
  await login(short)
  hall.now += 299
  expect((await login(short)).told).toBe('1 verdict passed')
  hall.now += 1
  expect((await login(short)).told).toMatch(/failed TOKEN_EXPIRED/)
})

test('a room that is granted counts from the next login on', async () => {
  await login(secret)
  hall.store.room('acme/attic')
  hall.store.changeToken(secret, ['boiler', 'attic'])
  const { session } = await login(secret)
  expect(session.proofs[0]!.grants.map(({ room }) => room)).toEqual(['boiler', 'attic'])
})
