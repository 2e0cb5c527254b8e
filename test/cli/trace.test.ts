/** `--trace`: a line for every kind of frame, and nothing in it that is secret. */
import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  toBinary,
} from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { Code } from '@porthouse/proto/v1/code'
import { CommandSchema } from '@porthouse/proto/v1/command'
import { Replay } from '@porthouse/proto/v1/envelope'
import { type Frame, FrameSchema, PacketSchema } from '@porthouse/proto/v1/frame'
import { LockStepSchema } from '@porthouse/proto/v1/lock_step'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { RoomSchema } from '@porthouse/proto/v1/room'
import { describe, expect, it } from 'vitest'
import { tracer } from '../../gateway/cli/trace/trace.ts'

function lines(...frames: Frame[]): string[] {
  const said: string[] = []
  const show = tracer((line) => said.push(line))
  show('received', toBinary(PacketSchema, create(PacketSchema, { frames })))
  return said.slice(1).map((line) => line.replace(/^← {3}/, ''))
}

type Init = Parameters<typeof create<typeof FrameSchema>>[1]

const line = (init: Init) => lines(create(FrameSchema, init))[0]

const room = (action: object) => line({ body: { case: 'room', value: { action } } } as Init)

const command = (action: object) =>
  line({ id: 4, body: { case: 'command', value: { action } } } as Init)

/** One message for each member of a oneof, with nothing in it. */
function oneOfEach(schema: DescMessage, name: string): [string, Message][] {
  const choice = schema.oneofs.find((each) => each.name === name)!
  return choice.fields.map((field) => [field.name, withField(schema, field)])
}

function withField(schema: DescMessage, field: DescField): Message {
  const message = reflect(schema)
  if (field.fieldKind === 'message') message.set(field, reflect(field.message))
  return message.message
}

describe('knows every kind', () => {
  it.each([
    ...oneOfEach(RoomSchema, 'action').map(([name, value]) => ['room', name, value] as const),
    ...oneOfEach(CommandSchema, 'action').map(([name, value]) => ['command', name, value] as const),
    ...oneOfEach(LockStepSchema, 'step').map(([name, value]) => ['lockStep', name, value] as const),
  ])('%s %s', (kind, _, value) => {
    expect(line({ id: 7, body: { case: kind, value } } as Init)).not.toContain('not known')
  })

  it.each(oneOfEach(FrameSchema, 'body').filter(([name]) => !/room|command|step/.test(name)))(
    'frame %s',
    (_, value) => expect(lines(value as Frame)[0]).not.toContain('not known'),
  )

  it('says so of one that a later version brings', () => {
    expect(line({ id: 3 })).toBe('frame of a kind that is not known here #3')
    expect(room({ case: undefined })).toBe('room action of a kind that is not known here')
  })
})

const address = 'room:acme/board'
const position = { epoch: 2n, sequence: 41n }

describe('shows what a room remembers', () => {
  it.each([
    [
      'join room:acme/board after position 41',
      { case: 'join', value: { address, backlog: { case: 'after', value: position } } },
    ],
    [
      'join room:acme/board unread',
      { case: 'join', value: { address, backlog: { case: 'unread', value: true } } },
    ],
    [
      'join room:acme/board replayed presence',
      { case: 'join', value: { address, replayed: true, presence: true } },
    ],
    [
      'joined room:acme/board route 1 listening position 90 backlog after 41 recovered',
      { case: 'joined', value: joined({ recovered: true, afterSequence: 41n }) },
    ],
    [
      'joined room:acme/board route 1 listening position 90 backlog after 60 RETENTION',
      { case: 'joined', value: joined({ afterSequence: 60n, code: Code.RETENTION }) },
    ],
    [
      'caughtUp room:acme/board position 90',
      { case: 'caughtUp', value: { address, sequence: 90n } },
    ],
    [
      'fetch room:acme/board before position 41 at most 10',
      { case: 'fetch', value: { address, range: { case: 'before', value: position }, limit: 10 } },
    ],
    [
      'fetched room:acme/board 10 of 1 to 90 more before more after',
      { case: 'fetched', value: fetched() },
    ],
    ['cursor room:acme/board position 41', { case: 'cursor', value: { address, position } }],
    [
      'lost route 1 5 messages SLOW_CONSUMER',
      { case: 'lost', value: { route: 1, count: 5, code: Code.SLOW_CONSUMER } },
    ],
    [
      'members 1 of 9 and more',
      { case: 'members', value: { members: [{ address: 'client:acme/a' }], more: true, count: 9 } },
    ],
    [
      'presence route 1 0 joined 1 left 8 there',
      { case: 'presence', value: { route: 1, left: ['client:acme/a'], count: 8 } },
    ],
    [
      'changed room:acme/board revision 3 access history',
      { case: 'changed', value: { address, revision: 3, blocks: ['access', 'history'] } },
    ],
  ])('%s', (expected, action) => expect(room(action)).toBe(expected))

  it('what is asked about it', () => {
    expect(command({ case: 'getStats', value: { of: address } })).toBe(`getStats #4 ${address}`)
    expect(command({ case: 'unread', value: { rooms: [{ address }], more: true } })).toBe(
      'unread #4 1 and more',
    )
  })
})

it('shows where a message is from in time, and what its sender wants', () => {
  const stamp = { from: 'client:acme/a', route: 1, sequence: 41n, replay: Replay.SESSION }
  const content = { case: 'text' as const, value: 'words' }
  const replayed = line({ body: { case: 'envelope', value: { stamp, content } } })
  expect(replayed).toBe(
    'envelope from client:acme/a replay SESSION position 41 route 1 text of 5 bytes',
  )
  const routing = { to: [address], receipt: ReceiptLevel.STORED, retain: true }
  const sent = line({ id: 3, body: { case: 'envelope', value: { routing, content } } })
  expect(sent).toBe(`envelope #3 ${address} text of 5 bytes to be stored to be retained`)
  const receipt = { status: ReceiptStatus.STORED, sockets: 2, sequence: 41n }
  expect(line({ id: 3, body: { case: 'receipt', value: receipt } })).toBe(
    'receipt #3 STORED 2 sockets position 41',
  )
})

it('leaves out what is secret, and contents', () => {
  const secret = 'hunter2'
  const bytes = Buffer.from(secret)
  const answer = (response: object) =>
    ({
      case: 'lockStep',
      value: { step: { case: 'answer', value: { response } } },
    }) as Frame['body']
  const all = [
    { case: 'hello', value: { resume: secret } },
    { case: 'resume', value: { token: secret } },
    { case: 'envelope', value: { content: { case: 'text', value: secret } } },
    { case: 'envelope', value: { headers: { a: secret }, routing: { idempotencyKey: secret } } },
    answer({ case: 'text', value: secret }),
    answer({ case: 'data', value: bytes }),
    answer({ case: 'signature', value: { signature: bytes } }),
    answer({ case: 'scramProof', value: { proof: bytes } }),
    answer({ case: 'responses', value: { values: [secret] } }),
  ].map((body) => create(FrameSchema, { body } as Init))
  expect(lines(...all).join('\n')).not.toContain(secret)
})

function joined(backlog: object) {
  return { address, route: 1, listening: true, epoch: 2n, sequence: 90n, backlog }
}

function fetched() {
  const kept = { firstSequence: 1n, lastSequence: 90n }
  return { address, epoch: 2n, count: 10, moreBefore: true, moreAfter: true, ...kept }
}
