/** The end of a gateway, as its sessions see it: what was taken is delivered first. */
import { Code } from '@porthouse/proto/v1/code'
import { beforeEach, describe, expect, test } from 'vitest'
import { answer, join, leave, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'

let hall: Hall

beforeEach(() => {
  hall = new Hall()
  hall.store.room('acme/yard', OPEN)
  hall.store.room('acme/boiler')
})

async function listener(path = '/acme/yard'): Promise<Guest> {
  const guest = hall.open(path)
  await hall.settle()
  guest.take()
  return guest
}

describe('a drain', () => {
  test('in the midst of a turn delivers what the turn has taken', async () => {
    const [ann, bob] = [await listener(), await listener('/acme/yard/temp')]
    const cat = hall.open().say(join(1, 'room:acme/yard', true))
    await hall.settle()
    cat.take()
    cat.say(text(2, 'to all', { to: ['room:acme/yard/temp'] }))
    ann.say(text(3, 'to bob', { to: [bob.session.address] }))
    await hall.sessions.drain(0)
    expect(cat.heard()).toEqual(['2 receipt ROUTED 2', '0 drop DRAINING'])
    expect(ann.heard()).toEqual(['3 receipt ROUTED 1', '0 envelope to all', '0 drop DRAINING'])
    expect(bob.heard()).toEqual(['0 envelope to bob', '0 envelope to all', '0 drop DRAINING'])
    for (const guest of [ann, bob, cat]) expect(guest.ended).toBe(Code.DRAINING)
    expect(hall.sessions.count).toBe(0)
  })

  test('answers nothing that still waits for the store: it may be asked again', async () => {
    const guest = await listener()
    const answerStore = hall.store.hold()
    guest.say(answer(1, hall.store.token('acme', [])), text(2, 'waits'))
    await hall.sessions.drain(0)
    answerStore()
    await hall.settle()
    expect(guest.heard()).toEqual(['0 drop DRAINING'])
  })

  test('writes what waits for a slow socket before its last frame', async () => {
    const [ann, bob] = [await listener(), await listener()]
    bob.stick()
    for (let i = 1; i <= 20; i++) {
      ann.say(text(i, `${i} ${'x'.repeat(10_000)}`))
      hall.endTurn()
    }
    await hall.sessions.drain(0)
    const heard = bob.heard()
    expect(heard).toHaveLength(21)
    expect(heard.at(-1)).toBe('0 drop DRAINING')
  })
})

test('a socket that is dropped gets what this turn has for it first', async () => {
  const [ann, bob] = [await listener(), await listener()]
  ann.say(text(1, 'hi'))
  bob.say(leave(0, 'nowhere'))
  expect(bob.heard()).toEqual(['0 envelope hi', '0 drop ADDRESS_INVALID'])
  ann.say(text(2, 'gone?'))
  await hall.settle()
  expect(ann.heard()).toEqual(['1 receipt ROUTED 1', '2 receipt VOID 0'])
})
