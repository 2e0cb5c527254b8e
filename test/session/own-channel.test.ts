/** A client's own channel: direct messages that it missed come once, or it is told (R43). */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Settings } from '../../gateway/config/config.ts'
import { text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { hears, joinFrom, proved, since, speak, words } from '../support/past.ts'
import { roomFrame } from '../support/told.ts'

const ANN = 'client:acme/ann'

let hall: Hall
let ann: string

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] })
  opens({})
})
afterEach(() => {
  vi.useRealTimers()
})

function opens(resume: NonNullable<Settings['resume']>): void {
  hall = new Hall({ heartbeatMs: 100_000_000, resume: { windowMs: 120_000, ...resume } })
  hall.store.room('acme/board')
  hall.store.room('other/board')
  ann = hall.store.token('acme', ['board'], { client: 'ann' })
}

function bob(account = 'acme'): Promise<Guest> {
  return proved(hall, hall.store.token(account, ['board'], { client: 'bob' }))
}

function epochOf(client = ANN): number {
  return hall.core.own.find(client)?.epoch ?? 0
}

/** A new socket of the client that asks for what came after a position. */
async function returns(after: number, epoch = epochOf()): Promise<Guest> {
  const guest = await proved(hall, ann)
  guest.say(joinFrom(1, ANN, since(after, epoch)))
  return guest
}

test('what was sent while it was away comes, then what is live', async () => {
  const sender = await bob()
  const phone = await proved(hall, ann)
  speak(sender, ANN, 'a', 'b')
  expect(await hears(hall, phone)).toEqual(['a 1', 'b 2'])
  phone.vanish()
  sender.say(text(1, 'c', { to: [ANN] }))
  expect(await hears(hall, sender)).toEqual(['1 ACCEPTED 0'])
  const again = await returns(2)
  speak(sender, ANN, 'd')
  const heard = await hears(hall, again)
  expect(heard).toEqual(['1 joined 3 from 2', 'c 3 HISTORY', '0 caughtUp 3', 'd 4'])
})

test('each of two sockets has all of it once', async () => {
  const sender = await bob()
  const phone = await proved(hall, ann)
  speak(sender, ANN, 'a')
  await hall.settle()
  const laptop = await returns(0)
  speak(sender, ANN, 'b')
  expect(await hears(hall, laptop)).toEqual([
    '1 joined 1 from 0',
    'a 1 HISTORY',
    '0 caughtUp 1',
    'b 2',
  ])
  expect(await hears(hall, phone)).toEqual(['a 1', 'b 2'])
  // What came live since it is that client does not come again.
  laptop.say(joinFrom(2, ANN, since(0, epochOf())))
  expect(await hears(hall, laptop)).toEqual(['2 joined 2 from 0', 'a 1 HISTORY', '0 caughtUp 2'])
})

test('resumes exactly once, whenever it is cut', async () => {
  const sender = await bob()
  let phone = await proved(hall, ann)
  // It is kept for who has asked for it, or was sent anything.
  phone.say(roomFrame(1, 'join', { address: ANN }))
  const heard: string[] = []
  let last = 0
  let sent = 0
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < round % 4; i++) speak(sender, ANN, `${++sent}`)
    if (round % 3 === 0) await hall.settle()
    else if (round % 3 === 1) hall.endTurn()
    const lines = (await hears(hall, phone)).filter((line) => !/joined|caughtUp/.test(line))
    heard.push(...lines.map((line) => line.split(' ')[0] as string))
    last = Number(heard.at(-1) ?? 0)
    phone.vanish()
    speak(sender, ANN, `${++sent}`)
    phone = await returns(last)
  }
  for (const line of await hears(hall, phone)) {
    if (!/joined|caughtUp/.test(line)) heard.push(line.split(' ')[0] as string)
  }
  expect(heard).toEqual(words(sent))
})

describe('it begins anew', () => {
  test('when the client was away for longer than it stays', async () => {
    const sender = await bob()
    const phone = await proved(hall, ann)
    speak(sender, ANN, 'a')
    await hall.settle()
    const epoch = epochOf()
    phone.vanish()
    hall.pass(200_000)
    const again = await returns(1, epoch)
    expect(await hears(hall, again)).toEqual(['1 joined 0 from 0 EPOCH_CHANGED', '0 caughtUp 0'])
    speak(sender, ANN, 'b')
    expect(await hears(hall, again)).toEqual(['b 1'])
    expect(epochOf()).toBeGreaterThan(epoch)
  })

  test('but not as long as it is good, however late that is', async () => {
    const phone = await proved(hall, ann)
    phone.say(roomFrame(1, 'join', { address: ANN }))
    await hall.settle()
    const epoch = epochOf()
    hall.pass(89_500)
    phone.vanish()
    hall.pass(119_000)
    const again = await returns(0, epoch)
    expect(await hears(hall, again)).toEqual(['1 joined 0 from 0', '0 caughtUp 0'])
  })

  test('and a socket that was there has all of the new one live', async () => {
    opens({ allBytes: 400 })
    const [sender, other] = [await bob(), hall.store.token('acme', [], { client: 'cat' })]
    const cat = await proved(hall, other)
    const phone = await proved(hall, ann)
    speak(sender, ANN, ...words(2))
    await hall.settle()
    const laptop = await proved(hall, ann)
    // Crowds the first one out.
    speak(sender, 'client:acme/cat', 'x')
    await hall.settle()
    speak(sender, ANN, 'new')
    await hall.settle()
    for (const each of [cat, phone, laptop]) each.take()
    laptop.say(joinFrom(1, ANN, since(0)))
    expect(await hears(hall, laptop)).toEqual(['1 joined 1 from 0', '0 caughtUp 1'])
  })
})

describe('its bounds', () => {
  test('in messages and bytes are told', async () => {
    opens({ messages: 3 })
    const sender = await bob()
    const phone = await proved(hall, ann)
    speak(sender, ANN, ...words(5))
    await hall.settle()
    phone.vanish()
    expect(await hears(hall, await returns(1))).toEqual([
      '1 joined 5 from 2 RETENTION',
      '3 3 HISTORY',
      '4 4 HISTORY',
      '5 5 HISTORY',
      '0 caughtUp 5',
    ])
  })

  test('in time are as well', async () => {
    const sender = await bob()
    const phone = await proved(hall, ann)
    speak(sender, ANN, 'a')
    await hall.settle()
    hall.pass(100_000)
    speak(sender, ANN, 'b')
    await hall.settle()
    phone.vanish()
    hall.pass(60_000)
    expect(await hears(hall, await returns(0))).toEqual([
      '1 joined 2 from 1 RETENTION',
      'b 2 HISTORY',
      '0 caughtUp 2',
    ])
  })

  test('of all clients give way where it was sent to longest ago', async () => {
    opens({ bytes: 10_000, allBytes: 100_000 })
    const sender = await bob()
    const clients: string[] = []
    for (const name of words(40)) {
      await proved(hall, hall.store.token('acme', [], { client: `c${name}` }))
      clients.push(`client:acme/c${name}`)
      speak(sender, `client:acme/c${name}`, 'x'.repeat(8_000))
    }
    await hall.settle()
    const kept = clients.map((each) => hall.core.own.find(each) !== undefined)
    expect(kept.lastIndexOf(false)).toBe(27)
    expect(kept.indexOf(true)).toBe(28)
  })
})

test('nothing is kept from another account, nor for who was never here', async () => {
  const [sender, stranger] = [await bob(), await bob('other')]
  const phone = await proved(hall, ann)
  speak(sender, ANN, 'a')
  await hall.settle()
  phone.vanish()
  stranger.say(text(1, 'x', { to: [ANN] }))
  expect(await hears(hall, stranger)).toEqual(['1 VOID 0'])
  hall.store.token('acme', [], { client: 'dan' })
  sender.say(text(2, 'x', { to: ['client:acme/dan'] }))
  expect(await hears(hall, sender)).toEqual(['2 VOID 0'])
  expect(await hears(hall, await returns(1))).toEqual(['1 joined 1 from 1', '0 caughtUp 1'])
})
