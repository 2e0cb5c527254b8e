/** Ways to be wrong, each with the case that must find it. */
import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { RoutingSchema } from '@porthouse/proto/v1/envelope'
import { DropSchema, type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import { Outcome } from '@porthouse/proto/v1/lock_step'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import type { Fault } from './proxy.ts'

type Body = Frame['body']
type Of<Case extends NonNullable<Body['case']>> = Extract<Body, { case: Case }>['value']

/** Each frame by itself; undefined: it is left out. */
const each =
  (change: (frame: Frame) => Frame | undefined) =>
  (frames: Frame[]): Frame[][] => [frames.map(change).filter((frame) => frame !== undefined)]

/** Frames with this body alone; `change` alters what it is given. */
function only<Case extends NonNullable<Body['case']>>(
  kind: Case,
  change: (value: Of<Case>, frame: Frame) => void,
) {
  return each((frame) => {
    if (frame.body.case === kind) change(frame.body.value as Of<Case>, frame)
    return frame
  })
}

const without = (isIt: (frame: Frame) => boolean) =>
  each((frame) => (isIt(frame) ? undefined : frame))

const isAction = (action: string) => (frame: Frame) =>
  frame.body.case === 'room' && frame.body.value.action.case === action

const isLive = ({ id, body }: Frame) =>
  id === 0 && body.case === 'envelope' && body.value.stamp?.replay === 0

export const faults: readonly Fault[] = [
  {
    name: 'two messages change places',
    foundBy: 'envelopes/order',
    toClient: (frames) => [frames.every(isLive) ? frames.toReversed() : frames],
  },
  {
    name: 'a receipt is missing',
    foundBy: 'receipts/routed',
    toClient: without(({ body }) => body.case === 'receipt'),
  },
  {
    name: 'a receipt comes twice',
    foundBy: 'receipts/void',
    toClient: (frames) => [
      frames.flatMap((frame) => (frame.body.case === 'receipt' ? [frame, frame] : [frame])),
    ],
  },
  {
    name: 'a receipt claims more than what happened',
    foundBy: 'receipts/void',
    toClient: only('receipt', (receipt) => {
      if (receipt.status === ReceiptStatus.VOID) receipt.status = ReceiptStatus.ROUTED
    }),
  },
  {
    name: 'a receipt counts the sender',
    foundBy: 'receipts/routed',
    toClient: only('receipt', (receipt) => {
      receipt.sockets++
    }),
  },
  {
    name: 'receipts come in another order',
    foundBy: 'receipts/answers-in-one-packet',
    toClient: (frames) => [
      frames.every(({ body }) => body.case === 'receipt') ? frames.toReversed() : frames,
    ],
  },
  {
    name: 'keys are not remembered',
    foundBy: 'receipts/duplicate',
    toGateway: (frames) => {
      for (const { body } of frames) {
        if (body.case === 'envelope' && body.value.routing) body.value.routing.idempotencyKey = ''
      }
      return { on: frames }
    },
  },
  {
    name: 'a message comes twice',
    foundBy: 'rooms/room-hears-channels',
    toClient: (frames) => [frames.flatMap((frame) => (isLive(frame) ? [frame, frame] : [frame]))],
  },
  {
    name: 'messages to channels are lost',
    foundBy: 'rooms/one-level-filter',
    toClient: without(
      ({ body }) => body.case === 'envelope' && (body.value.stamp?.channel ?? '') !== '',
    ),
  },
  {
    name: 'positions begin at 0',
    foundBy: 'rooms/position',
    toClient: only('envelope', ({ stamp }) => {
      if (stamp) stamp.sequence -= 1n
    }),
  },
  {
    name: 'a receiver sees the routing',
    foundBy: 'envelopes/stamp',
    toClient: only('envelope', (envelope) => {
      envelope.routing = create(RoutingSchema, { route: 1 })
    }),
  },
  {
    name: 'messages are from nobody',
    foundBy: 'envelopes/direct',
    toClient: only('envelope', ({ stamp }) => {
      if (stamp) stamp.from = ''
    }),
  },
  { name: 'unknown fields are lost', foundBy: 'envelopes/unknown-fields', forgetsUnknown: true },
  {
    name: 'a forged stamp is taken',
    foundBy: 'envelopes/forged-stamp',
    toGateway: (frames) => {
      for (const { body } of frames) {
        if (body.case === 'envelope') delete body.value.stamp
      }
      return { on: frames }
    },
  },
  {
    name: 'a sender hears himself',
    foundBy: 'envelopes/not-to-himself',
    toGateway: (frames) => ({
      on: frames,
      back: frames.filter(({ id, body }) => id === 0 && body.case === 'envelope'),
    }),
  },
  {
    name: 'the last frame is missing',
    foundBy: 'packets/verdict-from-client',
    toClient: without(({ id, body }) => id === 0 && body.case === 'drop'),
  },
  {
    name: 'something comes after the last frame',
    foundBy: 'handshake/hello-after-others',
    toClient: (frames) => [
      frames.some(({ id, body }) => id === 0 && body.case === 'drop')
        ? [...frames, create(FrameSchema, { body: { case: 'event', value: {} } })]
        : frames,
    ],
  },
  {
    name: 'every close has one code',
    foundBy: 'packets/verdict-from-client',
    close: (code) => Math.min(code, 4000),
  },
  { name: 'heartbeats are not answered', foundBy: 'packets/heartbeat', heartbeat: 'unanswered' },
  {
    name: 'one code stands for all',
    foundBy: 'rooms/address-invalid',
    toClient: only('drop', (drop) => {
      drop.code = Code.INTERNAL
    }),
  },
  {
    name: 'answers have ids of their own',
    foundBy: 'packets/no-body',
    toClient: only('drop', (_, frame) => {
      if (frame.id !== 0) frame.id += 1000
    }),
  },
  {
    name: 'a wrong secret passes',
    foundBy: 'locks/failed',
    toClient: only('lockStep', ({ step }) => {
      if (step.case === 'verdict') step.value.outcome = Outcome.PASSED
    }),
  },
  {
    name: 'a challenge does not say for which place',
    foundBy: 'locks/challenge',
    toClient: only('lockStep', ({ step }) => {
      if (step.case === 'challenge') step.value.place = ''
    }),
  },
  {
    name: 'strangers are told which rooms there are',
    foundBy: 'locks/stranger-is-told-nothing',
    toClient: only('lockStep', ({ step }, frame) => {
      if (step.case !== 'challenge' || !step.value.place.endsWith('/nowhere')) return
      frame.body = { case: 'drop', value: create(DropSchema, { code: Code.ROOM_UNKNOWN }) }
    }),
  },
  {
    name: 'each frame comes in a packet of its own',
    foundBy: 'handshake/one-round-trip',
    toClient: (frames) => frames.map((frame) => [frame]),
  },
  {
    name: 'all capabilities are granted',
    foundBy: 'handshake/capabilities',
    toClient: only('welcome', (welcome) => {
      welcome.capabilities.push('tea')
    }),
  },
  {
    name: 'a Welcome tells no limits',
    foundBy: 'handshake/limits',
    toClient: only('welcome', (welcome) => {
      delete welcome.limits
    }),
  },
  {
    name: 'the text subprotocol is preferred',
    foundBy: 'handshake/best-subprotocol',
    subprotocol: (offered) => [...offered].at(offered.size > 1 ? 1 : 0)!,
  },
  {
    name: 'a backlog claims to be whole',
    foundBy: 'history/retention',
    toClient: only('room', ({ action }) => {
      if (action.case === 'joined' && action.value.backlog) action.value.backlog.recovered = true
    }),
  },
  {
    name: 'history comes as if it were live',
    foundBy: 'history/last',
    toClient: only('envelope', ({ stamp }) => {
      if (stamp) stamp.replay = 0
    }),
  },
  {
    name: 'nothing says where history ends',
    foundBy: 'history/after',
    toClient: without(isAction('caughtUp')),
  },
  {
    name: 'an old resume token is taken without a word',
    foundBy: 'history/resumed',
    toClient: only('welcome', (welcome) => {
      welcome.resumed = false
    }),
  },
  {
    name: 'a member is not told that his rights are gone',
    foundBy: 'rooms/all-rights-taken',
    toClient: without(({ id, body }) => id === 0 && isAction('left')({ id, body } as Frame)),
  },
  {
    name: 'a member who leaves is not missed',
    foundBy: 'commands/presence',
    toClient: only('room', ({ action }) => {
      if (action.case === 'presence') action.value.left = []
    }),
  },
]
