/** A8, K8: resume tokens that were stolen, replayed, raced for, or whose rights are gone. */
import { Code } from '@porthouse/proto/v1/code'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { answer, type FrameInit, join } from '../support/client-frames.ts'
import type { Guest, Hall } from '../support/hall.ts'
import { command, hallWithKeys, owner } from '../support/staff.ts'
import { guarded, hears, lock, says } from './hostile-hall.ts'

let hall: Hall
let secret: string

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  hall = hallWithKeys()
  hall.store.room('acme/boiler')
  hall.store.room('acme/club', guarded(lock('knock', {}, 60_000)))
  secret = hall.store.token('acme', ['boiler'], { client: 'ann' })
  return () => vi.useRealTimers()
})

function hello(id: number, resume = ''): FrameInit {
  return { id, body: { case: 'hello', value: { capabilities: ['resume', 'events'], resume } } }
}

/** The resume token among what a socket was told. */
async function tokenOf(guest: Guest): Promise<string> {
  await hall.settle()
  const told = guest.take().map(({ body }) => (body.case === 'resume' ? body.value.token : ''))
  return told.find((token) => token !== '') ?? ''
}

async function proved(): Promise<{ guest: Guest; token: string }> {
  const guest = hall.open().say(hello(1), answer(2, secret))
  return { guest, token: await tokenOf(guest) }
}

const isSomebody = ({ session }: Guest) => !session.closed && session.proofs.length > 0

describe('one token', () => {
  test('makes one socket, however many try in one instant', async () => {
    const { guest, token } = await proved()
    const thieves = Array.from({ length: 8 }, () => hall.open().say(hello(1, token)))
    await hall.settle()
    expect(thieves.filter(isSomebody)).toHaveLength(1)
    expect(guest.ended).toBe(Code.REPLACED)
    expect(thieves.map(({ ended }) => ended).filter((code) => code === Code.REPLACED)).toHaveLength(
      7,
    )
    expect(hall.graph.socketsOf('client:acme/ann').size).toBe(1)
  })

  test('of those who used it and were replaced leaves them no other one', async () => {
    const { guest, token } = await proved()
    guest.vanish()
    const first = hall.open().say(hello(1, token))
    const theirs = await tokenOf(first)
    const second = hall.open().say(hello(1, token))
    await hall.settle()
    expect([isSomebody(first), isSomebody(second)]).toEqual([false, true])
    const third = hall.open().say(hello(1, theirs))
    await hall.settle()
    expect([isSomebody(second), isSomebody(third)]).toEqual([true, false])
  })

  test('is spent for who was still being looked up when its user went on', async () => {
    const { guest, token } = await proved()
    guest.vanish()
    const user = hall.open().say(hello(1, token))
    await hall.settle()
    const answered = hall.store.hold()
    const thief = hall.open().say(hello(1, token))
    user.say(join(2, 'room:acme/boiler'))
    answered()
    await hall.settle()
    expect([isSomebody(user), isSomebody(thief)]).toEqual([true, false])
  })

  test('does not outlive a revocation that comes while it is looked up', async () => {
    await hall.live.start()
    const { guest, token } = await proved()
    guest.vanish()
    const next = hall.open().say(hello(1, token))
    hall.store.deleteToken(secret)
    await hall.settle()
    expect(isSomebody(next)).toBe(false)
  })
})

describe('bounds', () => {
  test('of a share hold for who resumes, and what was refused is not spent', async () => {
    secret = hall.store.token('acme', ['boiler'], { maxConnections: 1 })
    const { guest, token } = await proved()
    guest.vanish()
    const other = hall.open().say(answer(1, secret))
    await hall.settle()
    const next = hall.open().say(hello(1, token))
    await hall.settle()
    expect([isSomebody(other), isSomebody(next)]).toEqual([true, false])
    next.say(join(2, 'room:acme/boiler'))
    other.vanish()
    const again = hall.open().say(hello(1, token))
    await hall.settle()
    expect(isSomebody(again)).toBe(true)
  })

  test('of a client of one socket: who resumes takes over, and it stays one', async () => {
    hall.store.changeClient('acme/ann', { maxSockets: 1 })
    const { guest, token } = await proved()
    guest.vanish()
    const other = hall.open().say(answer(1, secret))
    await hall.settle()
    hall.open().say(hello(1, token))
    await hall.settle()
    expect(other.ended).toBe(Code.REPLACED)
    expect(hall.graph.socketsOf('client:acme/ann').size).toBe(1)
  })
})

describe('whoever was thrown out', () => {
  async function kicked(resumeFirst: boolean): Promise<string[]> {
    const boss = await owner(hall, 'acme', { events: true })
    let { guest, token } = await proved()
    const tokens = [token]
    if (resumeFirst) {
      guest.vanish()
      guest = hall.open().say(hello(1, token))
      tokens.push(await tokenOf(guest))
    }
    boss.say(command(9, 'dropSocket', { socket: guest.session.address }))
    await hall.settle()
    expect(guest.ended).toBe(Code.KICKED)
    return tokens
  }

  test.each([false, true])('does not come back by his token, resumed: %s', async (resumed) => {
    for (const token of await kicked(resumed)) {
      const next = hall.open().say(hello(1, token))
      await hall.settle()
      expect(isSomebody(next)).toBe(false)
    }
  })

  test('having been let in once, has to knock again', async () => {
    const boss = await owner(hall, 'acme', { events: true })
    const guest = hall.open().say(hello(1), join(2, 'room:acme/club'), says(3, 'knock', 'me'))
    await hall.settle()
    const [lockId] = guest.session.stack.locks.map(({ id }) => `lock:${id}`)
    boss.say(command(8, 'admit', { lock: lockId ?? '', admitted: true }))
    const token = await tokenOf(guest)
    expect(token).not.toBe('')
    expect(guest.session.memberships.size).toBe(1)
    boss.say(command(9, 'dropSocket', { socket: guest.session.address }))
    await hall.settle()
    const next = hall.open().say(hello(1, token), join(2, 'room:acme/club'))
    expect(await hears(hall, next)).toEqual(['1 welcome', '2 challenge knock'])
  })
})
