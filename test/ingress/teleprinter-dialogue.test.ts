/** The teleprinter's dialogue, frame by frame and line by line, without a connection (R17). */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import { Outcome } from '@porthouse/proto/v1/lock_step'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { Dialogue } from '../../gateway/ingress/websocket/teleprinter/dialogue.ts'

type Body = MessageInitShape<typeof FrameSchema>['body']

const ROOM = 'room:acme/boiler'

/** What was shown (prompts end in a blank), and what was sent. */
let shown: string[]
let sent: Frame[]
let ends: string[]
let dialogue: Dialogue

beforeEach(() => start(ROOM))

function start(place: string | undefined): void {
  shown = []
  sent = []
  ends = []
  dialogue = new Dialogue(
    {
      line: (text) => void shown.push(text),
      prompt: (text) => void shown.push(text),
      send: (id, body) => void sent.push(create(FrameSchema, { id, body })),
      wrong: (claims) => void ends.push(`wrong ${claims.join(' ')}`),
      proved: (identities) => void ends.push(`proved ${identities.join(' ')}`),
      quit: () => void ends.push('quit'),
      flooded: () => void ends.push('flooded'),
    },
    place,
    [],
  )
}

function hear(...frames: [id: number, body: Body][]): void {
  dialogue.hear(frames.map(([id, body]) => create(FrameSchema, { id, body: body! })))
}

const challenge = (facts: object, lock = 'lock:aaaaaaaaaaaaaaaa'): Body => ({
  case: 'lockStep',
  value: { lock, step: { case: 'challenge', value: { place: ROOM, deadlineMs: 9_800, ...facts } } },
})
const verdict = (outcome: Outcome, code: Code = Code.UNSPECIFIED, values = {}): Body => ({
  case: 'lockStep',
  value: { step: { case: 'verdict', value: { outcome, code, values } } },
})
const joined = (address = ROOM, route = 1, rights = {}): Body => ({
  case: 'room',
  value: {
    action: {
      case: 'joined',
      value: { address, route, maySend: true, listening: true, ...rights },
    },
  },
})
const message = (content: object, stamp: object = {}): Body => ({
  case: 'envelope',
  value: { content, stamp: { from: 'client:acme/ada', route: 1, ...stamp } } as never,
})
const text = (value: string, stamp?: object) => message({ case: 'text', value }, stamp)
const drop = (code: Code, detail = ''): Body => ({ case: 'drop', value: { code, detail } })

/** What the last frame says. */
function said(): unknown {
  const { id, body } = sent.at(-1)!
  if (body.case === 'envelope') {
    const { routing, content } = body.value
    return [routing?.route, routing?.channel, content.value]
  }
  if (body.case !== 'lockStep' || body.value.step.case !== 'answer') return [id, body.case]
  const { acceptor, response } = body.value.step.value
  return [
    acceptor,
    response.case,
    response.case === 'responses' ? response.value.values : response.value,
  ]
}

describe('a challenge', () => {
  test('of a token', () => {
    hear([0, challenge({ acceptor: 'token', others: ['password', 'oidc'] })])
    expect(shown).toEqual([
      `${ROOM} asks for: token. You have 9 s.`,
      'What you type is not hidden here: mind who looks at your screen.',
      'Or choose another way, by /use and its name: password, oidc.',
      'token: ',
    ])
    dialogue.type(' pht_x ')
    expect(said()).toEqual(['token', 'text', 'pht_x'])
  })

  test('of prompts, one at a time, with answers as they were typed', () => {
    const prompts = [
      { text: 'Name:', echo: true },
      { text: 'Word: ', echo: false },
      { text: 'Why?' },
    ]
    const value = { name: 'The door', instruction: 'Be true.\nBe brief.', prompts }
    hear([0, challenge({ acceptor: 'tty', ask: { case: 'prompts', value } })])
    expect(shown.slice(1)).toEqual([
      'The door',
      'Be true.',
      'Be brief.',
      'What you type is not hidden here: mind who looks at your screen.',
      'Name: ',
    ])
    for (const line of ['/ada', ' x ', '']) dialogue.type(line)
    expect(shown.slice(-2)).toEqual(['Word: ', 'Why? '])
    expect(said()).toEqual(['tty', 'responses', ['/ada', ' x ', '']])
    expect(sent).toHaveLength(1)
  })

  test('without prompts wants a key all the same', () => {
    hear([0, challenge({ acceptor: 'tty', ask: { case: 'prompts', value: { name: 'Hello' } } })])
    dialogue.type('')
    expect(said()).toEqual(['tty', 'responses', []])
  })

  test.each([
    ['ssh-key', { case: 'nonce', value: { nonce: new Uint8Array(32) } }, 'porthouse connect'],
    ['key', undefined, 'porthouse connect'],
    ['header', undefined, 'comes with the connection'],
    ['other', { case: 'scram', value: {} }, 'by a program'],
    [
      'oidc',
      { case: 'visit', value: { url: 'https://id.example/d', userCode: 'AB-CD' } },
      'Open https://id.example/d, and type there: AB-CD',
    ],
  ])('of %s is not to be typed, and says so', (acceptor, ask, word) => {
    hear([0, challenge({ acceptor, ask })])
    expect(shown.join('\n')).toContain(word)
    dialogue.type('x')
    expect(shown.at(-1)).toBe('There is nothing to type here.')
    expect(sent).toEqual([])
  })

  test('may be changed for another one', () => {
    hear([0, challenge({ acceptor: 'preset', others: ['token'] })])
    dialogue.type('/use token')
    expect(said()).toEqual(['token', undefined, undefined])
    expect(sent[0]!.body.value).toMatchObject({ lock: 'lock:aaaaaaaaaaaaaaaa' })
    hear([1, challenge({ acceptor: 'token' })])
    dialogue.type('pht_x')
    expect(said()).toEqual(['token', 'text', 'pht_x'])
  })

  test('that no person can meet is changed by itself, once', () => {
    hear([0, challenge({ acceptor: 'key', others: ['ssh-key', 'password', 'token'] })])
    expect(said()).toEqual(['password', undefined, undefined])
    hear([1, verdict(Outcome.FAILED, Code.UNAVAILABLE)])
    hear([0, challenge({ acceptor: 'key', others: ['ssh-key', 'token'] })])
    expect(sent).toHaveLength(1)
    expect(ends).toEqual([])
  })

  test('that no person wrote obeys no terminal', () => {
    const evil = '\x1b[2J\u202e'
    const value = { name: evil, instruction: evil, prompts: [{ text: evil }] }
    hear([0, challenge({ acceptor: evil, others: [evil], ask: { case: 'prompts', value } })])
    expect(shown.join('')).not.toMatch(/[\p{Cc}\u202e]/u)
  })
})

describe('a wrong answer', () => {
  const wrong = (acceptor: string, line: string) => {
    hear([0, challenge({ acceptor })])
    dialogue.type(line)
    hear([1, verdict(Outcome.FAILED, Code.UNAUTHENTICATED)], [0, challenge({ acceptor })])
  }

  test('is the last one, and nothing more is heard or asked', () => {
    wrong('token', 'x')
    expect(ends).toEqual(['wrong '])
    expect(shown.at(-1)).toMatch(/^Wrong\. UNAUTHENTICATED: /)
    const before = shown.length
    dialogue.type('y')
    hear([0, drop(Code.UNAUTHENTICATED, 'one wrong answer is one too many')])
    expect(sent).toHaveLength(1)
    expect(shown.slice(before)).toEqual([
      'Goodbye. UNAUTHENTICATED: one wrong answer is one too many.',
    ])
  })

  test('is held against whom it named, and never tells the secret', () => {
    wrong('token', `pht_0198f2b4c5d67e8f9a0b1c2d3e4f5061_${'S'.repeat(43)}`)
    expect(ends).toEqual(['wrong token:0198f2b4-c5d6-7e8f-9a0b-1c2d3e4f5061'])
  })

  test.each([
    ['ada', 'client:acme/ada'],
    ['client:other/ada', 'client:other/ada'],
    ['Not A Name', ''],
    [`${'x'.repeat(64)}`, ''],
  ])('with a password names %s', (name, claim) => {
    const prompts = [{ text: 'Client:', echo: true }, { text: 'Password:' }]
    hear([0, challenge({ acceptor: 'password', ask: { case: 'prompts', value: { prompts } } })])
    for (const line of [name, 'secret']) dialogue.type(line)
    hear([1, verdict(Outcome.DROPPED, Code.TRIES_EXHAUSTED)])
    expect(ends).toEqual([`wrong ${claim}`])
  })

  test.each([Code.UNAVAILABLE, Code.TOKEN_EXPIRED, Code.NOT_ADMITTED, Code.SHARE_LIMIT])(
    'is not one that fails by code %s',
    (code) => {
      hear([0, challenge({ acceptor: 'token' })])
      dialogue.type('x')
      hear([1, verdict(Outcome.FAILED, code)])
      expect(ends).toEqual([])
      expect(shown.at(-1)).toBe('token: ')
    },
  )

  test('is not a lock that was too slow, or that nobody answered', () => {
    hear([0, challenge({ acceptor: 'token' })], [0, verdict(Outcome.DROPPED, Code.LOCK_DEADLINE)])
    hear([0, challenge({ acceptor: 'header' })], [0, verdict(Outcome.FAILED, Code.UNAUTHENTICATED)])
    expect(ends).toEqual([])
    expect(shown.filter((line) => line.includes('LOCK_DEADLINE'))).toHaveLength(1)
  })
})

describe('lines that come early', () => {
  test('wait for what they answer, in their order', () => {
    for (const line of ['secret', 'hello', 'you']) dialogue.type(line)
    expect(sent).toEqual([])
    hear([0, challenge({ acceptor: 'token' })])
    expect(said()).toEqual(['token', 'text', 'secret'])
    hear([1, verdict(Outcome.PASSED, 0, { token: 't' })])
    expect(sent).toHaveLength(1)
    hear([0, joined()])
    expect(sent).toHaveLength(3)
    expect(said()).toEqual([1, '', 'you'])
    expect(dialogue.holds).toBe(false)
  })

  test('may be too many', () => {
    for (let i = 0; i < 20_000; i++) dialogue.type('x')
    expect(ends).toEqual(['flooded'])
  })

  test('to leave need not wait', () => {
    dialogue.type('/quit')
    expect(ends).toEqual(['quit'])
  })
})

describe('inside', () => {
  beforeEach(() => {
    hear([0, joined()])
    shown.length = 0
  })

  test('each line is a message, and a blank one is none', () => {
    dialogue.type('hello')
    expect(said()).toEqual([1, '', 'hello'])
    dialogue.type('//dev/null')
    expect(said()).toEqual([1, '', '/dev/null'])
    dialogue.type('')
    dialogue.type('/nothing like that')
    expect(sent).toHaveLength(2)
    expect(shown).toEqual(['There is no such command: /help lists them.'])
  })

  test.each<[string, Body, string]>([
    ['a text', text('hi'), 'client:acme/ada: hi'],
    [
      'a forged one',
      text('x\r\nsocket:a: \x1b[8mhi'),
      'client:acme/ada: x\\r\\nsocket:a: \\u{1b}[8mhi',
    ],
    ['a channel', text('hi', { channel: 'temp/1' }), '[/temp/1] client:acme/ada: hi'],
    ['another room', text('hi', { route: 2 }), '[room:acme/pump] client:acme/ada: hi'],
    [
      'a direct one',
      text('hi', { route: 0, target: 'socket:b' }),
      '[to socket:b] client:acme/ada: hi',
    ],
    ['bytes of text', message({ case: 'payload', value: Buffer.from('ß') }), 'client:acme/ada: ß'],
    [
      'bytes',
      message({ case: 'payload', value: Buffer.from([255, 0]) }),
      'client:acme/ada: (2 bytes)',
    ],
    ['nothing', message({ case: undefined }), 'client:acme/ada: (nothing)'],
  ])('a message is one line: %s', (_name, body, line) => {
    hear([0, joined('room:acme/pump', 2)])
    shown.length = 0
    hear([0, body])
    expect(shown).toEqual([line])
  })

  test('a long message is cut, and its size told', () => {
    hear([0, text('x'.repeat(100_000))])
    expect(shown[0]).toHaveLength(
      'client:acme/ada: '.length + 4096 + '… (100000 characters)'.length,
    )
  })

  test('what is refused is told', () => {
    const { REJECTED } = ReceiptStatus
    const rejections = [{ address: 'room:a/b', code: Code.ROOM_UNKNOWN, detail: 'no such room' }]
    hear(
      [1, { case: 'receipt', value: { status: REJECTED, code: Code.SEND_NOT_PERMITTED } }],
      [2, { case: 'receipt', value: { status: ReceiptStatus.ROUTED, rejections } }],
    )
    expect(shown).toEqual([
      'Not sent. SEND_NOT_PERMITTED: The socket may not send there',
      'Not sent to room:a/b. ROOM_UNKNOWN: no such room',
    ])
  })

  test('another room may be entered, refused, and left', () => {
    dialogue.type('/join acme/pump/temp')
    expect(sent[0]!.body.value).toMatchObject({
      action: { case: 'join', value: { address: 'room:acme/pump/temp' } },
    })
    dialogue.type('on its way')
    hear([1, joined('room:acme/pump/temp', 2)])
    expect(said()).toEqual([2, 'temp', 'on its way'])
    dialogue.type('/join acme/other')
    hear([3, drop(Code.ENTRY_NOT_PERMITTED)])
    dialogue.type('still there')
    expect(said()).toEqual([2, 'temp', 'still there'])
    dialogue.type('/leave')
    hear([
      5,
      {
        case: 'room',
        value: { action: { case: 'left', value: { address: 'room:acme/pump/temp' } } },
      },
    ])
    dialogue.type('back')
    expect(said()).toEqual([1, '', 'back'])
  })

  test('who knocks is let in or refused', () => {
    const lock = 'lock:bbbbbbbbbbbbbbbb'
    hear([0, { case: 'event', value: { kind: 11, socket: 'socket:b', place: ROOM, lock } }])
    expect(shown).toEqual([`(knocked; socket:b; ${ROOM}; ${lock})`])
    for (const [i, line] of [`/admit ${lock}`, `/refuse ${lock}`].entries()) {
      dialogue.type(line)
      expect(sent.at(-1)!.body.value).toMatchObject({
        action: { case: 'admit', value: { lock, admitted: i === 0 } },
      })
      hear([i + 1, { case: 'command', value: { action: { case: 'done', value: {} } } }])
    }
  })

  test('sockets, events and losses have their words', () => {
    dialogue.type('/sockets')
    const rooms = [{ address: ROOM, maySend: true, listening: true }]
    const sockets = [{ socket: 'socket:a', identities: ['client:acme/ada'], rooms, self: true }]
    hear(
      [1, { case: 'command', value: { action: { case: 'sockets', value: { sockets } } } }],
      [0, { case: 'event', value: { kind: 10, detail: 'tea\n' } }],
      [0, { case: 'event', value: { kind: 99 as never } }],
      [0, { case: 'room', value: { action: { case: 'lost', value: { count: 1, code: 72 } } } }],
    )
    expect(shown).toEqual([
      `socket:a (this one) client:acme/ada ${ROOM} (send, listen)`,
      '(announced; tea\\n)',
      '(event)',
      expect.stringMatching(/^1 message was lost \(SLOW_CONSUMER: /),
    ])
  })
})

describe('in the lobby', () => {
  beforeEach(() => start(undefined))

  test('a token may be proved, and a room entered afterwards', () => {
    hear()
    expect(shown).toEqual([
      'The lobby asks for: token.',
      'What you type is not hidden here: mind who looks at your screen.',
      'token: ',
    ])
    dialogue.type('pht_x')
    hear([1, verdict(Outcome.PASSED, 0, { token: 't', client: 'client:acme/ada' })])
    expect(ends).toEqual(['proved client:acme/ada token:t'])
    expect(shown.slice(3)).toEqual([
      'Right. You are client:acme/ada.',
      'Where to? /join ADDRESS enters a room.',
    ])
  })

  test('a room may be entered first, and given up', () => {
    dialogue.type(`/join ${ROOM}`)
    hear([1, challenge({ acceptor: 'token' })])
    dialogue.type('/leave')
    expect(sent[1]!.body.value).toMatchObject({
      action: { case: 'leave', value: { address: ROOM } },
    })
    hear(
      [0, verdict(Outcome.DROPPED)],
      [2, { case: 'room', value: { action: { case: 'left', value: { address: ROOM } } } }],
    )
    expect(ends).toEqual([])
    expect(shown.slice(5)).toEqual([
      'You are no longer in room:acme/boiler.',
      'The lobby asks for: token.',
      'What you type is not hidden here: mind who looks at your screen.',
      'token: ',
    ])
  })
})

test('whatever is typed and heard, nothing shown moves a cursor', () => {
  const evil = fc.string({ unit: 'binary', maxLength: 40 })
  const step = fc.oneof(
    evil.map((line) => () => dialogue.type(line)),
    evil.map(
      (value) => () => hear([0, text(value, { from: value, channel: value, target: value })]),
    ),
    evil.map(
      (value) => () => hear([0, challenge({ acceptor: value, place: value, others: [value] })]),
    ),
    evil.map((client) => () => hear([0, verdict(Outcome.PASSED, 0, { client })])),
    evil.map((address) => () => hear([0, joined(address)])),
    evil.map((detail) => () => hear([9, drop(Code.INTERNAL, detail)])),
    evil.map(
      (detail) => () => hear([0, { case: 'event', value: { kind: 11, detail, socket: detail } }]),
    ),
    fc.constantFrom(...Object.values(Code)).map((code) => () => hear([0, verdict(2, code)])),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      start(ROOM)
      for (const each of steps) each()
      expect(shown.join('')).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e]/u)
    }),
  )
})
