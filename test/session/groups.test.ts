/** Groups of a room: who is in them, by its config and by a Join (R27). */
import { beforeEach, describe, expect, test } from 'vitest'
import { answer, join, leave, text } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { envelopes } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import { client, hallWithKeys, hears } from '../support/staff.ts'

const ROOM = 'room:acme/shop'
const CREW = 'group:acme/shop/crew'
const STAFF = 'group:acme/shop/staff'

let hall: Hall

beforeEach(() => {
  hall = hallWithKeys()
  hall.store.client('acme/ann')
  const staff = { name: 'staff', clients: [hall.store.clientId('ann').toUpperCase()] }
  hall.store.room('acme/shop', OPEN, groups({ name: 'crew', open: true }, staff))
})

function groups(...all: object[]) {
  return { case: 'groups', value: { groups: all } } as never
}

async function says(guest: Guest, ...frames: Parameters<Guest['say']>): Promise<string[]> {
  return hears(hall, guest.say(...frames))
}

async function there(name: string): Promise<Guest> {
  const guest = await client(hall, [], { client: name })
  await says(guest, join(1, ROOM))
  return guest
}

/** What became of a message to a group: who got it. */
async function reached(sender: Guest, to: string, ...others: Guest[]): Promise<boolean[]> {
  for (const other of others) other.take()
  await says(sender, text(7, 'hi', { to: [to] }))
  return others.map((other) => envelopes(other.take()).length === 1)
}

describe('an open group', () => {
  test('is joined and left by its address, in the room alone', async () => {
    const [ann, bob] = [await there('ann'), await there('bob')]
    expect(await reached(ann, CREW, bob)).toEqual([false])
    expect(await says(bob, join(2, CREW))).toEqual([`2 joined ${CREW}`])
    expect(await says(bob, join(3, CREW))).toEqual([`3 joined ${CREW}`])
    expect(await reached(ann, CREW, bob)).toEqual([true])
    expect(await says(bob, leave(4, CREW), leave(5, CREW))).toEqual([
      `4 left ${CREW}`,
      `5 left ${CREW}`,
    ])
    expect(await reached(ann, CREW, bob)).toEqual([false])
    const cat = await client(hall, [], { client: 'cat' })
    expect(await says(cat, join(1, CREW), leave(2, CREW))).toEqual([
      '1 drop ENTRY_NOT_PERMITTED',
      `2 left ${CREW}`,
    ])
  })

  test('is left with the room, and not entered again with it', async () => {
    const [ann, bob] = [await there('ann'), await there('bob')]
    await says(bob, join(2, CREW), leave(3, ROOM), join(4, ROOM))
    expect(await reached(ann, CREW, bob)).toEqual([false])
    await says(bob, join(5, CREW))
    bob.vanish()
    expect(await says(ann, text(6, 'hi', { to: [CREW] }))).toEqual(['6 receipt VOID 0'])
  })

  test('is for those alone who may listen to the room', async () => {
    hall.store.room('acme/quiet', groups({ name: 'crew', open: true }))
    const deaf = await client(hall, ['quiet'], { client: 'bob', receive: false })
    expect(
      await says(deaf, join(2, 'room:acme/quiet', true), join(3, 'group:acme/quiet/crew')),
    ).toEqual(['2 joined room:acme/quiet', '3 drop RECEIVE_NOT_PERMITTED'])
  })

  test('that closes, or is gone, sends those away who joined it, and nobody else', async () => {
    await hall.live.start()
    const [ann, bob] = [await there('ann'), await there('bob')]
    await says(bob, join(2, CREW))
    hall.store.configure('acme/shop', OPEN, groups({ name: 'crew', clients: ['ann'] }))
    await hall.settle()
    expect(await hears(hall, bob)).toContain(`0 left ${CREW}`)
    expect(await reached(bob, CREW, ann)).toEqual([true])
    expect(await reached(ann, CREW, bob)).toEqual([false])
    expect(await says(bob, join(2, CREW))).toEqual(['2 drop ENTRY_NOT_PERMITTED'])
    hall.store.configure('acme/shop', OPEN)
    await hall.settle()
    expect(await hears(hall, ann)).toContain(`0 left ${CREW}`)
    expect(await hears(hall, bob)).not.toContain(`0 left ${CREW}`)
    expect(await says(bob, join(2, CREW), text(3, 'hi', { to: [CREW] }))).toEqual([
      '2 drop TARGET_UNKNOWN',
      '3 receipt REJECTED TARGET_UNKNOWN',
    ])
    await hall.live.stop()
  })
})

describe('a configured group', () => {
  test('has its clients whenever they are in the room, and lets nobody in or out', async () => {
    const [ann, bob] = [await there('ann'), await there('bob')]
    expect(await reached(bob, STAFF, ann)).toEqual([true])
    expect(await says(ann, leave(2, STAFF))).toEqual(['2 drop ENTRY_NOT_PERMITTED'])
    expect(await says(ann, join(2, STAFF))).toEqual([`2 joined ${STAFF}`])
    expect(await says(bob, join(2, STAFF))).toEqual(['2 drop ENTRY_NOT_PERMITTED'])
    expect(await reached(bob, STAFF, ann)).toEqual([true])
    await says(ann, leave(3, ROOM))
    expect(await reached(bob, STAFF, ann)).toEqual([false])
  })

  test('takes in who proves to be its client only later, but no namesake', async () => {
    const bob = await there('bob')
    const guest = hall.open('/acme/shop')
    await hall.settle()
    guest.say(answer(2, hall.store.token('other', [], { client: 'ann' })), join(3, ROOM))
    await hall.settle()
    expect(await reached(bob, STAFF, guest)).toEqual([false])
    guest.say(answer(4, hall.store.token('acme', [], { client: 'ann' })), join(5, ROOM))
    await hall.settle()
    expect(await reached(bob, STAFF, guest)).toEqual([true])
  })

  test.each(['group:acme/shop/none', 'group:acme/none/crew', 'group:acme/shop/__proto__'])(
    'that is none, %s, is told so',
    async (address) => {
      const bob = await there('bob')
      const [line] = await says(bob, join(2, address))
      expect(line).toMatch(/2 drop (TARGET_UNKNOWN|ENTRY_NOT_PERMITTED|ADDRESS_INVALID)/)
    },
  )
})
