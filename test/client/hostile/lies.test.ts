/** Gateways that lie: it is seen, and told by a code, or it changes nothing. */
import { Code } from '@porthouse/proto/v1/code'
import { Replay } from '@porthouse/proto/v1/envelope'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { welcome } from '../../support/lock-frames.ts'
import { drop, message, receipt } from '../../support/peer.ts'
import { action, type FrameInit, Midst, times } from './midst.ts'

let midst: Midst
beforeEach(async () => {
  midst = await Midst.open()
})
afterEach(() => midst.close())

describe('lies that change nothing', () => {
  test.each<[string, ...FrameInit[]]>([
    ['receipts of nothing', receipt(4711), receipt(4711), receipt(4711, { status: 6, code: 1 })],
    ['a message of a number never given', message('x', { route: 99, sequence: 50n })],
    [
      'a verdict for no lock',
      {
        body: {
          case: 'lockStep',
          value: {
            lock: 'lock:aaaaaaaaaaaaaaaa',
            step: { case: 'verdict', value: { outcome: 1 } },
          },
        },
      },
    ],
    [
      'a room left that was never entered',
      action({ case: 'left', value: { address: 'room:acme/other' } }),
    ],
    [
      'what was lost of a room never entered',
      action({ case: 'lost', value: { route: 99, code: Code.SLOW_CONSUMER } }),
    ],
    ['refusals of nothing', drop(4711, Code.ROOM_UNKNOWN)],
    [
      'the same resume token again and again',
      ...times(1000, () => ({ body: { case: 'resume', value: { token: 'x', expiresMs: 1 } } })),
    ],
  ])('%s', async (_, ...frames) => {
    midst.line.send(...frames)
    await midst.goesOn()
  })

  test('a receipt twice', async () => {
    const sending = midst.room.send('x')
    const { id } = await midst.line.frame('envelope')
    midst.line.send(receipt(id), receipt(id, { status: 6, code: Code.ROOM_UNKNOWN }))
    expect(await sending).toMatchObject({ status: 'ROUTED' })
    await midst.goesOn()
  })

  test('a time beyond all time is the last one there is', async () => {
    const messages = midst.room.messages()
    midst.line.send(message('x', { timeMs: 2n ** 64n - 1n }))
    expect((await messages.next()).value.time.toISOString()).toBe('+275760-09-13T00:00:00.000Z')
  })

  test('positions that go back: each is heard once', async () => {
    const messages = midst.room.messages()
    for (const sequence of [20n, 19n, 20n, 8n, 21n]) {
      midst.line.send(message(`${sequence}`, { sequence }))
    }
    expect((await messages.next()).value).toMatchObject({ text: '20' })
    expect((await messages.next()).value).toMatchObject({ text: '21' })
  })
})

describe('lies that end it', () => {
  test.each<[string, string, ...FrameInit[]]>([
    ['a second Welcome', 'FRAME_NOT_ALLOWED', welcome(1)],
    ['a Welcome for nothing', 'FRAME_NOT_ALLOWED', welcome(0)],
    [
      'a resume token beyond all measure',
      'MALFORMED_PACKET',
      { body: { case: 'resume', value: { token: 'x'.repeat(5000) } } },
    ],
    ['an envelope without a stamp', 'MALFORMED_PACKET', { body: { case: 'envelope', value: {} } }],
  ])('%s', async (_, code, ...frames) => {
    midst.line.send(...frames)
    await midst.endsWith(code)
  })

  test('an answer of another kind', async () => {
    const fetching = midst.room.fetch()
    const { id } = await midst.line.frame('room')
    midst.line.send(receipt(id))
    await expect(fetching).rejects.toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
    expect((await midst.closed).error).toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
  })

  test('a history that goes in circles', async () => {
    const history = midst.room.history()
    const fetched = (id: number) =>
      ({ ...action({ case: 'fetched', value: { epoch: 1n, moreAfter: true } }), id }) as FrameInit
    const page = (id: number) => [
      { ...message('old', { sequence: 3n, replay: Replay.HISTORY }), id },
      fetched(id),
    ]
    const first = history.next()
    midst.line.send(...page((await midst.line.frame('room')).id))
    expect((await first).value).toMatchObject({ text: 'old' })
    const second = history.next()
    midst.line.send(...page((await midst.line.frame('room')).id))
    expect((await second).value).toMatchObject({ text: 'old' })
    await expect(history.next()).rejects.toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
  })

  test('a list that goes in circles', async () => {
    const members = midst.room.members()
    const page = (id: number, ...addresses: string[]) => {
      const value = { members: addresses.map((address) => ({ address })), more: true }
      midst.line.send({ ...action({ case: 'members', value }), id } as FrameInit)
    }
    const first = members.next()
    page((await midst.line.frame('room')).id, 'client:acme/b')
    expect((await first).value).toMatchObject({ address: 'client:acme/b' })
    const second = members.next()
    page((await midst.line.frame('room')).id, 'client:acme/a')
    expect((await second).value).toMatchObject({ address: 'client:acme/a' })
    await expect(members.next()).rejects.toMatchObject({ code: 'FRAME_NOT_ALLOWED' })
  })
})
