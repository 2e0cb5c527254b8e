/** From a room to its groups, and from a group to its clients (R28). */
import { beforeEach, expect, test } from 'vitest'
import { join } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { block } from '../support/past.ts'
import { client, command, hallWithKeys, owner } from '../support/staff.ts'

const SHOP = 'room:acme/shop'
const CREW = 'group:acme/shop/crew'

let hall: Hall

beforeEach(() => {
  hall = hallWithKeys()
  const crew = block('groups', { groups: [{ name: 'crew', open: true }] })
  hall.store.room('acme/shop', OPEN, crew)
  hall.store.room('acme/fair', OPEN, crew, block('presence', { enabled: true }))
})

async function walks(guest: Guest, of: string): Promise<string> {
  guest.take()
  guest.say(command(5, 'listClients', { of }))
  await hall.settle()
  for (const { body } of guest.take()) {
    const action = body.case === 'command' ? body.value.action : undefined
    if (action?.case === 'clients') {
      return action.value.clients.map(({ address, sockets }) => `${address} ${sockets}`).join(', ')
    }
    if (body.case === 'drop') return `drop ${body.value.detail}`
  }
  throw new Error('no answer')
}

async function inCrew(name: string, room = SHOP, group = CREW): Promise<Guest> {
  const guest = await client(hall, [], { client: name })
  guest.say(join(1, room), join(2, group))
  await hall.settle()
  guest.take()
  return guest
}

test('the owner walks a group, whether or not he is there', async () => {
  const boss = await owner(hall)
  await inCrew('ann')
  await inCrew('ann')
  await inCrew('bob')
  await client(hall, [], { client: 'cat' }).then((cat) => cat.say(join(1, SHOP)))
  expect(await walks(boss, CREW)).toMatch(/^client:acme\/ann 2, client:acme\/bob 1, token:.*\/1 1/)
  expect(await walks(boss, `${CREW}men`)).toMatch(/^drop no such target/)
  expect(await walks(boss, 'group:acme/none/crew')).toMatch(/^drop no such target/)
})

test('members walk it where they see each other, by whom messages are from', async () => {
  const [room, group] = ['room:acme/fair', 'group:acme/fair/crew']
  await inCrew('ann', room, group)
  const bob = await inCrew('bob', room, group)
  expect(await walks(bob, group)).toBe('client:acme/ann 1, client:acme/bob 1')
})

test('nobody else does', async () => {
  const ann = await inCrew('ann')
  expect(await walks(ann, CREW)).toMatch(/do not see each other/)
  const outside = await client(hall, [], { client: 'bob' })
  expect(await walks(outside, CREW)).toMatch(/^drop only the account itself/)
  const stranger = hall.open().say(join(1, 'room:acme/fair'))
  await hall.settle()
  expect(await walks(stranger, CREW)).toMatch(/^drop no such target/)
})
