/** Occupancy and traffic of rooms and channels, to whom they are told (R23). */
import type { Occupancy, Stats } from '@porthouse/proto/v1/command'
import { beforeEach, describe, expect, test } from 'vitest'
import { join, leave, text } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { client, command, hallWithKeys, hears, owner } from '../support/staff.ts'

let hall: Hall

beforeEach(() => {
  hall = hallWithKeys()
  hall.store.room('acme/table', OPEN)
  hall.store.room('acme/shut')
})

async function stats(guest: Guest, of: string, after = ''): Promise<Stats> {
  guest.say(command(1, 'getStats', { of, after }))
  await hall.settle()
  for (const { body } of guest.take()) {
    const action = body.case === 'command' ? body.value.action : undefined
    if (action?.case === 'stats') return action.value
  }
  throw new Error('no stats')
}

async function refusal(guest: Guest, of: string): Promise<string[]> {
  return hears(hall, guest.say(command(1, 'getStats', { of })))
}

/** `table/a 2/1 3:12`: sockets, clients among them, messages and bytes. */
function line({ address, sockets, clients, messages, bytes }: Occupancy): string {
  return `${address.replace('room:acme/', '')} ${sockets}/${clients} ${messages}:${bytes}`
}

async function lines(guest: Guest, of = 'room:acme/table'): Promise<string[]> {
  return (await stats(guest, of)).occupancies.map(line)
}

describe('a room', () => {
  test('tells its sockets, clients, messages and bytes, and those of its channels', async () => {
    const ann = await client(hall, [], { client: 'ann' })
    const again = await client(hall, [], { client: 'ann' })
    ann.say(join(1, 'room:acme/table'))
    again.say(join(1, 'room:acme/table/b'), join(2, 'room:acme/table/a'))
    const guest = hall.open('/acme/table/a')
    const sender = hall.open()
    sender.say(join(1, 'room:acme/table', true))
    await hall.settle()
    for (const channel of ['', 'a', 'a', 'c']) {
      const to = [channel === '' ? 'room:acme/table' : `room:acme/table/${channel}`]
      sender.say(text(2, 'four', { to }))
    }
    await hall.settle()
    expect(await lines(ann)).toEqual([
      'table 4/1 4:16',
      'table/a 2/1 2:8',
      'table/b 1/1 0:0',
      'table/c 0/0 1:4',
    ])
    expect(await lines(ann, 'room:acme/table/a')).toEqual(['table/a 2/1 2:8'])
    expect(await lines(ann, 'room:acme/table/none')).toEqual(['table/none 0/0 0:0'])
    const [{ messagesPerSecond, bytesPerSecond }] = (await stats(ann, 'room:acme/table'))
      .occupancies as [Occupancy]
    expect([messagesPerSecond, bytesPerSecond]).toEqual([0.4, 1.6])
    again.say(leave(3, 'room:acme/table/b'))
    guest.vanish()
    sender.vanish()
    await hall.settle()
    expect(await lines(ann)).toEqual(['table 2/1 4:16', 'table/a 1/1 2:8', 'table/c 0/0 1:4'])
  })

  test('of many cells tells them in pages, the room first, then its channels by name', async () => {
    const ann = hall.open('/acme/table')
    await hall.settle()
    for (let i = 0; i < 400; i++) {
      ann.say(
        text(0, 'x', {
          route: ann.session.memberships.keys().next().value as number,
          channel: `cell/${i}`,
          receipt: 0,
        }),
      )
    }
    await hall.settle()
    ann.take()
    const first = await stats(ann, 'room:acme/table')
    expect([first.occupancies.length, first.more]).toEqual([256, true])
    const second = await stats(ann, 'room:acme/table', first.occupancies.at(-1)?.address)
    expect([second.occupancies.length, second.more]).toEqual([145, false])
    const all = [...first.occupancies, ...second.occupancies].map(({ address }) => address)
    expect(all[0]).toBe('room:acme/table')
    expect(all).toEqual([...new Set(all)].toSorted())
  })

  test('tells a member of channels that he may hear, and of no others', async () => {
    const boss = await owner(hall)
    hall.store.room('acme/wards', { case: 'access', value: { locks: ['token'] } } as never)
    const nurse = await client(hall, ['wards'], { channels: ['a', 'b/*'] })
    nurse.say(join(1, 'room:acme/wards/a'), join(2, 'room:acme/wards/b/*'))
    const doctor = await client(hall, ['wards'])
    doctor.say(join(1, 'room:acme/wards/secret'), join(2, 'room:acme/wards/b/1'))
    await hall.settle()
    nurse.take()
    expect((await lines(nurse, 'room:acme/wards')).map((each) => each.split(' ')[0])).toEqual([
      'wards',
      'wards/a',
      'wards/b/1',
    ])
    expect(await refusal(nurse, 'room:acme/wards/secret')).toEqual(['1 drop CHANNEL_NOT_PERMITTED'])
    expect((await lines(boss, 'room:acme/wards')).map((each) => each.split(' ')[0])).toEqual([
      'wards',
      'wards/a',
      'wards/b/1',
      'wards/secret',
    ])
  })
})

describe('who may ask', () => {
  test('is a member who may listen, and its owner, also of a room that nobody is in', async () => {
    const boss = await owner(hall)
    expect(await lines(boss)).toEqual(['table 0/0 0:0'])
    expect(hall.graph.place('acme/table')).toBeUndefined()
    const bob = await client(hall, ['table'], { client: 'bob' })
    expect(await refusal(bob, 'room:acme/table')).toEqual(['1 drop COMMAND_NOT_PERMITTED'])
    const deaf = await client(hall, ['shut'], { receive: false })
    deaf.say(join(1, 'room:acme/shut', true))
    await hears(hall, deaf)
    expect(await refusal(deaf, 'room:acme/shut')).toEqual(['1 drop RECEIVE_NOT_PERMITTED'])
  })

  test('is no stranger, to whom nothing is there (A15)', async () => {
    for (const zoe of [await client(hall, [], { account: 'other' }), await owner(hall, 'other')]) {
      for (const of of ['room:acme/table', 'room:acme/none', 'room:acme/table/a']) {
        expect(await refusal(zoe, of)).toEqual(['1 drop TARGET_UNKNOWN'])
      }
    }
    expect(await refusal(hall.open(), 'room:acme/table')).toEqual(['1 drop UNAUTHENTICATED'])
    expect(await refusal(await owner(hall), 'client:acme/ann')).toEqual(['1 drop ADDRESS_INVALID'])
  })
})
