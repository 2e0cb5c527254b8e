/** What a connection has sent is replayed to newcomers as long as it is there (R24). */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { Overflow, Owners } from '@porthouse/proto/room/v1/session_history'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { answer, bye, type FrameInit, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { OPEN } from '../support/memory-store.ts'
import { position, roomFrame, told } from '../support/told.ts'

const STAGE = 'room:acme/stage'
const SCENE = 'room:acme/scene'
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz']

let hall: Hall

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'setTimeout', 'clearInterval', 'clearTimeout'] })
  hall = new Hall()
  hall.store.room('acme/stage', OPEN, sessions({ owners: Owners.ALL }))
  hall.store.room('acme/scene', OPEN, sessions({}))
})
afterEach(() => {
  vi.useRealTimers()
})

function sessions(value: object): Block['kind'] {
  return { case: 'sessionHistory', value: value as never }
}

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return told(guest.take())
}

async function joined(address = STAGE, more: object = {}): Promise<Guest> {
  const guest = hall.open()
  guest.say(roomFrame(1, 'join', { address, ...more }))
  await hall.settle()
  return guest
}

const toStage = (id: number, words: string) => text(id, words, { to: [STAGE], receipt: 0 })

test('A to Z comes to a newcomer, in order and marked, before what is live', async () => {
  const renderer = await joined()
  renderer.say(...LETTERS.map((letter) => toStage(0, letter)))
  const newcomer = await joined()
  renderer.say(toStage(0, '!'))
  expect(await hears(newcomer)).toEqual([
    '1 joined 26 from 26',
    ...LETTERS.map((letter, i) => `${letter} ${i + 1} SESSION`),
    '0 caughtUp 26',
    '! 27',
  ])
})

test('it is gone with its owner, and others stay', async () => {
  const [ann, bob] = [await joined(), await joined()]
  ann.say(toStage(0, 'a1'))
  bob.say(toStage(0, 'b1'))
  ann.say(toStage(0, 'a2'))
  ann.say(bye)
  expect(await hears(await joined())).toEqual(['1 joined 3 from 3', 'b1 2 SESSION', '0 caughtUp 3'])
  bob.vanish()
  expect(await hears(await joined())).toEqual(['1 joined 3'])
})

test('nobody gets his own, nor what he has had', async () => {
  const ann = await joined()
  const bob = await joined(`${STAGE}/a`)
  ann.say(text(0, 'in a', { to: [`${STAGE}/a`], receipt: 0 }), toStage(0, 'in all'))
  bob.say(toStage(0, 'of bob'))
  expect(await hears(bob)).toEqual(['1 joined 0', 'in a 1'])
  bob.say(roomFrame(2, 'join', { address: STAGE }))
  expect(await hears(bob)).toEqual(['2 joined 3 from 3', 'in all 2 SESSION', '0 caughtUp 3'])
  const { epoch } = hall.graph.place('acme/stage') as { epoch: number }
  const after = { case: 'after', value: position(3, epoch) }
  expect(await hears(await joined(STAGE, { backlog: after }))).toEqual([
    '1 joined 3 from 3',
    '0 caughtUp 3',
  ])
})

test('a room may keep it of those alone who ask', async () => {
  const [ann, bob] = [await joined(SCENE, { replayed: true }), await joined(SCENE)]
  ann.say(text(0, 'a', { to: [SCENE], receipt: 0 }))
  bob.say(text(0, 'b', { to: [SCENE], receipt: 0 }))
  expect(await hears(await joined(SCENE))).toEqual([
    '1 joined 2 from 2',
    'a 1 SESSION',
    '0 caughtUp 2',
  ])
})

describe('at its bound', () => {
  test('the oldest go', async () => {
    hall.store.room('acme/short', OPEN, sessions({ owners: Owners.ALL, messages: 2 }))
    const to = ['room:acme/short']
    const ann = await joined(to[0])
    for (const word of ['a', 'b', 'c']) ann.say(text(0, word, { to, receipt: 0 }))
    expect(await hears(await joined(to[0]))).toEqual([
      '1 joined 3 from 3',
      'b 2 SESSION',
      'c 3 SESSION',
      '0 caughtUp 3',
    ])
  })

  test('or what does not fit is refused, and not sent', async () => {
    const bound = { owners: Owners.ALL, messages: 1, overflow: Overflow.REJECT }
    hall.store.room('acme/short', OPEN, sessions(bound))
    const to = ['room:acme/short']
    const [ann, bob] = [await joined(to[0]), await joined(to[0])]
    await hears(ann)
    ann.say(text(1, 'a', { to }), text(2, 'b', { to }))
    expect(await hears(ann)).toEqual(['1 ROUTED 1', '2 REJECTED QUEUE_FULL'])
    expect(await hears(bob)).toEqual(['1 joined 0', 'a 1'])
  })
})

test('it goes together with a durable history, and nothing comes twice', async () => {
  const keep: Block['kind'] = { case: 'history', value: { keep: Keep.DURABLE } as never }
  hall.store.room('acme/both', OPEN, sessions({ owners: Owners.ALL }), keep)
  const room = 'room:acme/both'
  const ann = await joined(room)
  for (const word of ['a', 'b', 'c']) ann.say(text(0, word, { to: [room], receipt: 0 }))
  await hall.settle()
  const last = await joined(room, { backlog: { case: 'last', value: 1 } })
  expect(await hears(last)).toEqual([
    '1 joined 3 from 2',
    'a 1 SESSION',
    'b 2 SESSION',
    'c 3 HISTORY',
    '0 caughtUp 3',
  ])
})

describe('one who is cut off and resumes', () => {
  const HELLO = (resume = ''): FrameInit => ({
    id: 1,
    body: { case: 'hello', value: { capabilities: ['resume'], resume } },
  })

  async function known(resume?: string): Promise<{ guest: Guest; token: string }> {
    const secret = hall.store.token('acme', [])
    const guest = hall.open()
    guest.say(HELLO(resume), ...(resume === undefined ? [answer(2, `${secret}`)] : []))
    await hall.settle()
    const frames = guest.take()
    const offered = frames.find(({ body }) => body.case === 'resume')?.body.value as
      | { token: string }
      | undefined
    return { guest, token: offered?.token ?? '' }
  }

  test('is the same connection: what he had sent stays', async () => {
    const { guest: ann, token } = await known()
    ann.say(roomFrame(3, 'join', { address: STAGE }), toStage(0, 'a'))
    await hall.settle()
    ann.vanish()
    await hall.settle()
    const { guest: again } = await known(token)
    again.say(roomFrame(3, 'join', { address: STAGE }), toStage(0, 'b'))
    await hall.settle()
    expect(await hears(await joined())).toEqual([
      '1 joined 2 from 2',
      'a 1 SESSION',
      'b 2 SESSION',
      '0 caughtUp 2',
    ])
    again.say(bye)
    expect(await hears(await joined())).toEqual(['1 joined 2'])
  })

  test('is waited for, and no longer', async () => {
    const { guest: ann } = await known()
    const bob = await joined()
    ann.say(roomFrame(3, 'join', { address: STAGE }), toStage(0, 'a'))
    await hall.settle()
    ann.vanish()
    expect(await hears(await joined())).toContain('a 1 SESSION')
    hall.pass(121_000)
    expect(await hears(await joined())).toEqual(['1 joined 1'])
    bob.vanish()
  })
})
