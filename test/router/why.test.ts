/** The path of a message as the router notes it (R49): each step, its verdict, and what decided. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Step, Verdict } from '@porthouse/proto/admin/v1/trail'
import { Code } from '@porthouse/proto/v1/code'
import type { RoutingSchema } from '@porthouse/proto/v1/envelope'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../gateway/protocol/codes.ts'
import { refused } from '../../gateway/router/destination.ts'
import type { WaitingMessage } from '../../gateway/router/intake.ts'
import type { Place } from '../../gateway/router/place.ts'
import type { TrailStep } from '../../gateway/why/steps.ts'
import type { MemorySocket } from '../support/memory-socket.ts'
import { plainPlace } from '../support/plain-place.ts'
import { Switchboard } from '../support/switchboard.ts'

type RoutingInit = Exclude<MessageInitShape<typeof RoutingSchema>, { $typeName: unknown }>

let board: Switchboard
let place: Place
let sender: MemorySocket

beforeEach(() => {
  board = new Switchboard()
  place = board.place('acme/boiler')
  sender = board.socket({ client: 'client:acme/ann', accounts: ['acme'] })
  sender.enter(place)
})

function listener(filter = '', at = place): MemorySocket {
  const socket = board.socket()
  at.listen(socket.enter(at), filter)
  return socket
}

function send(routing: RoutingInit, text = 'hi') {
  return board.publish(sender, {
    routing: { receipt: ReceiptLevel.ROUTED, ...routing } as RoutingInit,
    content: { case: 'text', value: text },
  })
}

/** The steps of what is sent, a line each: step, verdict, and what decided or why. */
function why(routing: RoutingInit, text?: string): string[] {
  return (board.why(send(routing, text)) ?? []).map(line)
}

function line({ step, verdict, code, detail, decidedBy }: TrailStep): string {
  return [
    nameOf(Step, step),
    nameOf(Verdict, verdict),
    code ? nameOf(Code, code) : '',
    detail,
    decidedBy && `[${decidedBy}]`,
  ]
    .filter(Boolean)
    .join(' ')
}

function nameOf(names: Record<string, unknown>, value: number | undefined): string {
  return Object.entries(names).find(([, each]) => each === value)?.[0] ?? `${value}`
}

/** A line of a room's config. */
const by = (path: string, room = 'acme/boiler') => `[config room:${room} ${path}]`

const GRANT = '[grant client:acme/ann room:acme/boiler]'

describe('a message that is heard', () => {
  test('passed each step by the right that let it, and tells its position', () => {
    listener()
    const steps = board.why(send({ route: place.route }))
    expect(steps?.map(line)).toEqual([
      'RESOLVE PASSED',
      `PERMIT PASSED ${GRANT}`,
      'FIT PASSED',
      'SEND ROUTED',
    ])
    expect(steps?.at(-1)).toMatchObject({ subject: 'room:acme/boiler', sockets: 1, sequence: 1n })
  })

  test('went where the config says, by that line', () => {
    const config = { ...plainPlace, defaultTarget: { kind: 'channel', channel: 'temp' } } as const
    place.config = { ...config, blocks: ['access', 'defaultTarget'] }
    sender.target = { kind: 'room', membership: sender.memberships.get(1)!, channel: '' }
    listener('temp')
    expect(why({})[0]).toBe(`RESOLVE PASSED the default target ${by('blocks[1].defaultTarget')}`)
  })

  test('says of each destination what became of it', () => {
    listener()
    const to = ['room:acme/boiler', 'room:acme/none', 'room:acme/boiler', 'socket:short']
    expect(why({ to }).filter((each) => !each.includes('PASSED'))).toEqual([
      'SEND ROUTED',
      'RESOLVE REFUSED ENTRY_NOT_PERMITTED the socket is not in this room',
      'PERMIT REPEATED the message names it twice',
      expect.stringMatching(/^RESOLVE REFUSED ADDRESS_INVALID/),
    ])
  })

  test('is told as the first one under its key', () => {
    listener()
    const first = send({ route: place.route, idempotencyKey: 'k' })
    expect(board.why(first)?.map(line)).toContain('RECALL PASSED')
    expect(why({ route: place.route, idempotencyKey: 'k' }).at(-1)).toBe('RECALL DUPLICATE')
    expect(why({ route: place.route, idempotencyKey: 'k' }, 'other').at(-1)).toBe(
      'RECALL REFUSED KEY_REUSED the key was used with another body',
    )
  })
})

describe('a message that is refused says by which line of the config', () => {
  const limits = {
    sockets: undefined,
    payloadBytes: undefined,
    socketRate: undefined,
    roomRate: undefined,
  }
  const slow = { perSecond: 0.001, burst: 1 }
  test.each([
    [
      'PAYLOAD_TOO_LARGE over 1 bytes in this room',
      'blocks[0].limits.payloadBytes',
      { blocks: ['limits'], limits: { ...limits, payloadBytes: 1 } },
    ],
    [
      'RATE_LIMITED over 0.001 messages a second of one socket in this room',
      'blocks[1].limits.socketRate',
      { blocks: ['echo', 'limits'], limits: { ...limits, socketRate: slow } },
    ],
    [
      'RATE_LIMITED over 0.001 messages a second in all in this room',
      'blocks[1].limits.roomRate',
      { blocks: ['echo', 'limits'], limits: { ...limits, roomRate: slow } },
    ],
    [
      'CHANNEL_UNKNOWN the room has channels alone',
      'blocks[0].channels.only',
      { blocks: ['channels'], channelsOnly: true },
    ],
    [
      'CHANNEL_UNKNOWN the room has no such channel',
      'blocks[0].channels.allowed',
      { blocks: ['channels'], channels: ['temp'] },
    ],
  ])('%s', (told, path, config) => {
    place.config = { ...plainPlace, ...config }
    // The first takes what there is of a rate.
    const route = place.route
    send({ route, channel: told.includes('alone') ? '' : 'x' })
    const last = why({ route, channel: told.includes('alone') ? '' : 'x' }).at(-1)
    expect(last).toBe(`PERMIT REFUSED ${told} ${by(path)}`)
  })

  test('that its structure is written on', () => {
    const admit = () => {
      throw new Refusal(Code.CONTENT_INVALID, '/temp: must be a number')
    }
    const structure = { admit, textOf: () => undefined }
    place.config = { ...plainPlace, blocks: ['messages'], structure }
    expect(why({ route: place.route }).at(-1)).toBe(
      `FIT REFUSED CONTENT_INVALID /temp: must be a number ${by('blocks[0].messages')}`,
    )
  })

  test('or that nothing is written, which is a default', () => {
    const mute = board.place('acme/mute')
    sender.enter(mute, { maySend: false })
    const access = 'access (default)'
    expect(why({ route: mute.route }).at(-1)).toBe(
      `PERMIT REFUSED SEND_NOT_PERMITTED no right to send to this room ${by(access, 'acme/mute')}`,
    )
  })

  test('or by which right, where that is for other channels', () => {
    const member = sender.memberships.get(place.route)!
    member.senders = member.senders.map((each) => ({ ...each, channels: ['temp'] }))
    member.free = undefined
    expect(why({ route: place.route, channel: 'other' }).at(-1)).toBe(
      'PERMIT REFUSED CHANNEL_NOT_PERMITTED no right to send to this channel ' +
        GRANT.replace(']', ' channels]'),
    )
  })

  test('or by which lock, where its room could not be entered (R15)', () => {
    const refusal = new Refusal(Code.NOT_ADMITTED, 'locked out', 'lock room:acme/shut')
    const to = 'room:acme/shut'
    const ahead = { barred: new Map([[to, refusal]]), entered: [to], waitedMs: 7 }
    const outcome = board.publish(sender, { routing: { to: [to] } }, ahead)
    expect(board.why(outcome)?.map(line)).toEqual([
      'ENTER REFUSED NOT_ADMITTED locked out [lock room:acme/shut]',
    ])
  })
})

describe('a message that is void says why nobody was reached', () => {
  const last = (routing: RoutingInit) => why(routing).at(-1)

  test('nobody else is there', () => {
    expect(last({ route: place.route })).toBe('SEND VOID nobody else is in the room')
  })

  test('only its sender listens', () => {
    place.listen(sender.memberships.get(place.route)!, '')
    place.config = { ...plainPlace, blocks: ['echo'] }
    expect(last({ route: place.route })).toBe(
      'SEND VOID only its sender listens there, and does not hear itself ' +
        by('blocks[0].echo.enabled'),
    )
  })

  test('nobody listens to this channel, or to the room itself', () => {
    listener('temp')
    expect(last({ route: place.route, channel: 'other' })).toBe(
      'SEND VOID nobody in the room listens to this channel',
    )
    expect(last({ route: place.route })).toBe(
      'SEND VOID nobody in the room listens to the room itself',
    )
  })

  test('nobody there may receive', () => {
    board.socket().enter(place)
    for (const member of place.members) member.hears = []
    expect(last({ route: place.route })).toMatch(/^SEND VOID nobody in the room has the right/)
  })

  test('no socket goes by that address', () => {
    expect(last({ to: ['client:acme/bob'] })).toMatch(/^SEND VOID no socket goes by that address/)
    const stranger = board.socket({ client: 'client:other/bob', accounts: ['other'] })
    expect(last({ to: [`socket:${stranger.id}`] })).toBe(last({ to: [`socket:${'a'.repeat(16)}`] }))
  })

  test('it has no destination', () => {
    const nobody = board.socket()
    const outcome = board.publish(nobody, { content: { case: 'text', value: 'hi' } })
    expect(board.why(outcome)?.map(line)).toEqual([
      'RESOLVE VOID it names no destination, and its sender has neither a place nor a client',
    ])
  })
})

describe('a message that waits', () => {
  const taken: WaitingMessage[] = []

  beforeEach(() => {
    taken.length = 0
    place.intake = {
      take(waiting) {
        waiting.leg?.waits(Step.STORE)
        taken.push(waiting)
      },
    }
  })

  test('is told as waiting, then as stored', () => {
    const outcome = send({ route: place.route })
    expect(board.why(outcome)?.map(line).at(-1)).toBe('STORE WAITING')
    board.now += 3
    taken[0]?.leg?.goesOn()
    const facts = { sockets: 0, sequence: 4, epoch: 9, stored: true, kept: true }
    taken[0]?.waiter.settle({ id: outcome.ownId, ...facts })
    const steps = board.why(outcome)
    expect(steps?.map(line).slice(-2)).toEqual(['STORE STORED after 3000 µs', 'SEND KEPT'])
    expect(steps?.at(-1)).toMatchObject({ sequence: 4n, offsetUs: 3000n })
  })

  test('is told as refused by who had it, and as what it became after all', () => {
    const outcome = send({ route: place.route })
    const unknown = new Refusal(Code.UNCERTAIN, 'no answer yet', 'setting history.waitMs')
    taken[0]?.waiter.doubt(unknown)
    expect(board.why(outcome)?.map(line).at(-1)).toBe(
      'STORE REFUSED UNCERTAIN no answer yet [setting history.waitMs]',
    )
    taken[0]?.waiter.settle(refused('', Code.STORE_FULL, 'the store is full'))
    expect(board.why(outcome)?.map(line).at(-1)).toMatch(/^STORE REFUSED known after its sender/)
  })
})

test('what a slow socket lost is told by its position and the policy that decided (R46)', () => {
  const slow = listener()
  const outcome = send({ route: place.route })
  const decidedBy = place.line('slowConsumers', 'policy')
  for (let i = 0; i < 20; i++) {
    board.trails.lost({ id: outcome.ownId, place, sequence: 1, socket: slow.id, decidedBy })
  }
  const steps = board.why(outcome)?.filter(({ step }) => step === Step.OUTBOX)
  expect(steps).toHaveLength(16)
  expect(steps?.[0]).toMatchObject({
    subject: `socket:${slow.id}`,
    verdict: Verdict.LOST,
    sequence: 1n,
    decidedBy: 'config room:acme/boiler slowConsumers.policy (default)',
  })
  expect(board.trails.find(outcome.ownId)?.furtherLosses).toBe(4)
})
