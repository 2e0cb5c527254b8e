/** While the store is away nothing passes that has to ask it (A18), and all else goes on. */
import { Code } from '@porthouse/proto/v1/code'
import { beforeEach, expect, test } from 'vitest'
import { answer, join, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'

let hall: Hall
let token: string

beforeEach(() => {
  hall = new Hall()
  hall.store.room('acme/boiler')
  hall.store.room('acme/yard', OPEN)
  hall.store.room('acme/court', OPEN)
  token = hall.store.token('acme', ['boiler'])
})

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

test('a Join is refused by itself, and goes through later', async () => {
  hall.store.away = true
  const guest = hall.open().say(join(1, 'room:acme/yard'), join(2, 'room:acme/boiler'))
  expect(await hears(guest)).toEqual(['1 drop UNAVAILABLE', '2 drop UNAVAILABLE'])
  hall.store.away = false
  guest.say(join(3, 'room:acme/yard'))
  expect(await hears(guest)).toEqual(['3 joined room:acme/yard'])
})

test('an entry by URL ends the connection with a code that says to come back', async () => {
  hall.store.away = true
  const guest = hall.open('/acme/yard')
  expect(await hears(guest)).toEqual(['0 drop UNAVAILABLE'])
  expect(guest.ended).toBe(Code.UNAVAILABLE)
})

test('a token proves nothing, costs no try, and is good later', async () => {
  const guest = hall.open().say(join(1, 'room:acme/boiler'))
  await hall.settle()
  hall.store.away = true
  for (let id = 2; id <= 9; id++) guest.say(answer(id, token))
  guest.say(text(10, 'hi'))
  expect((await hears(guest)).slice(-2)).toEqual([
    '9 verdict failed UNAVAILABLE',
    '10 receipt REJECTED UNAVAILABLE',
  ])
  hall.store.away = false
  guest.say(answer(11, token))
  expect(await hears(guest)).toEqual(['11 verdict passed', '1 joined room:acme/boiler'])
})

test('a wrong secret is not even told to be wrong', async () => {
  hall.store.away = true
  const guest = hall.open().say(answer(1, `pht_${'0'.repeat(32)}_${'A'.repeat(43)}`))
  expect(await hears(guest)).toEqual(['1 verdict failed UNAVAILABLE'])
  expect(guest.session.unlocked).toBe(false)
})

test('a room that is not loaded refuses a message; those that are loaded take it', async () => {
  const [ann, bob] = [hall.open('/acme/yard'), hall.open('/acme/yard')]
  await hears(ann)
  await hears(bob)
  hall.store.away = true
  ann.say(text(1, 'hi', { to: ['room:acme/court'] }), text(2, 'ho'))
  ann.say(text(3, 'both', { to: ['room:acme/court', 'room:acme/yard'] }))
  expect(await hears(ann)).toEqual([
    '1 receipt REJECTED UNAVAILABLE',
    '2 receipt ROUTED 1',
    '3 receipt ROUTED 1',
  ])
  expect(await hears(bob)).toEqual(['0 envelope ho', '0 envelope both'])
  const newcomer = hall.open('/acme/yard')
  expect(await hears(newcomer)).toEqual(['0 joined room:acme/yard'])
  hall.store.away = false
  ann.say(text(4, 'hi', { to: ['room:acme/court'] }))
  expect(await hears(ann)).toEqual(['4 receipt VOID 0'])
})
