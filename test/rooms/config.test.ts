/** A room's config: what its blocks come to, and what is wrong with them (R19). */
import { create, fromBinary, fromJson, type JsonObject } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Policy } from '@porthouse/proto/room/v1/slow_consumers'
import { describe, expect, test } from 'vitest'
import { faultText } from '../../gateway/locks/fault.ts'
import { checkConfig, readConfig } from '../../gateway/rooms/config.ts'
import { flows } from './flows.ts'

/** Blocks as in Protobuf JSON. */
const of = (...blocks: JsonObject[]) => fromJson(ConfigSchema, { blocks })
const faults = (...blocks: JsonObject[]) => checkConfig(of(...blocks), flows).map(faultText)
const read = (...blocks: JsonObject[]) => {
  expect(faults(...blocks)).toEqual([])
  return readConfig(of(...blocks), flows)
}

const DURABLE = { history: { keep: 'KEEP_DURABLE' } }

describe('a config without blocks', () => {
  test('asks for a token, keeps nothing, and drops the slow', () => {
    expect(read()).toEqual({
      blocks: [],
      flow: {
        kind: 'lock',
        lock: { acceptor: 'token', tries: 3, deadlineMs: 10_000, key: 'token {}' },
      },
      visitors: { send: true, receive: true, admit: false, channels: [] },
      visited: false,
      echo: false,
      slowConsumers: Policy.DISCONNECT,
      history: { keep: 'none', window: { messages: 100, bytes: 1_048_576, ageMs: 300_000 } },
      retention: {},
      unread: false,
      groups: [],
      limits: {},
      channels: [],
      channelsOnly: false,
    })
  })
})

describe('blocks that say the least', () => {
  test('have the defaults that the protos tell', () => {
    const rates = { socketRate: { perSecond: 0.5 }, roomRate: { perSecond: 40 } }
    const config = read(
      { sessionHistory: {} },
      { presence: { enabled: true } },
      { retained: {} },
      { program: { module: 'board' } },
      { groups: { groups: [{ name: 'crew' }] } },
      { limits: rates },
      { technical: {} },
    )
    expect(config).toMatchObject({
      sessionHistory: { owners: 'asked', messages: 1_000, bytes: 1_048_576, overflow: 'oldest' },
      presence: { members: 256, intervalMs: 200 },
      retained: { values: 'asked', channels: 1_024, bytes: Number.POSITIVE_INFINITY },
      program: { module: 'board', options: {}, budgetMs: 50, otherwise: 'reject' },
      groups: [{ name: 'crew', clients: [], open: false, delivery: 'all' }],
      limits: {
        sockets: undefined,
        payloadBytes: undefined,
        socketRate: { perSecond: 0.5, burst: 1 },
        roomRate: { perSecond: 40, burst: 40 },
      },
      technicalSockets: 0,
    })
    expect(read({ presence: { members: 9 } }).presence).toBeUndefined()
  })

  test('keep cursors where the history is durable', () => {
    expect(read(DURABLE)).toMatchObject({ history: { keep: 'durable' }, unread: true })
    expect(read(DURABLE, { unread: {} }).unread).toBe(false)
    expect(read({ unread: {} }).unread).toBe(false)
  })
})

describe('blocks that say all', () => {
  test('are read as they say', () => {
    const config = read(
      { access: { locks: [], visitors: { send: true } } },
      { messages: { json: { schema: '{"type": "object"}' } } },
      { echo: { enabled: true } },
      { slowConsumers: { policy: 'POLICY_CONFLATE' } },
      DURABLE,
      { retention: { messages: '10', bytes: '20', ageMs: '30' } },
      { unread: { enabled: true } },
      {
        sessionHistory: {
          owners: 'OWNERS_ALL',
          messages: 2,
          bytes: 3,
          overflow: 'OVERFLOW_REJECT',
        },
      },
      { presence: { enabled: true, members: 4, intervalMs: 5 } },
      { limits: { sockets: 6, payloadBytes: 3, roomRate: { perSecond: 2, burst: 9 } } },
      { groups: { groups: [{ name: 'crew', clients: ['ann'], delivery: 'DELIVERY_ONE' }] } },
      { defaultTarget: { group: 'crew' } },
      { channels: { allowed: ['deck/*'], only: true } },
      { retained: { values: 'VALUES_ALL', channels: 7, bytes: 8 } },
      { program: { module: 'x', options: { a: 1 }, budgetMs: 9, otherwise: 'OTHERWISE_PASS' } },
      { technical: { sockets: 10 } },
    )
    expect(config.structure).toBeDefined()
    expect(config).toMatchObject({
      flow: undefined,
      visitors: { send: true, receive: false, admit: false },
      visited: true,
      echo: true,
      slowConsumers: Policy.CONFLATE,
      retention: { messages: 10, bytes: 20, ageMs: 30 },
      unread: true,
      sessionHistory: { owners: 'all', messages: 2, bytes: 3, overflow: 'reject' },
      presence: { members: 4, intervalMs: 5 },
      limits: { sockets: 6, payloadBytes: 3, roomRate: { perSecond: 2, burst: 9 } },
      groups: [{ name: 'crew', clients: ['ann'], open: false, delivery: 'one' }],
      defaultTarget: { kind: 'group', group: 'crew' },
      channels: ['deck/*'],
      channelsOnly: true,
      retained: { values: 'all', channels: 7, bytes: 8 },
      program: { module: 'x', options: { a: 1 }, budgetMs: 9, otherwise: 'pass' },
      technicalSockets: 10,
    })
    const window = { messages: 1, ageMs: 2 }
    expect(read({ history: { keep: 'KEEP_WINDOW', window } }).history).toEqual({
      keep: 'window',
      window: { messages: 1, bytes: 1_048_576, ageMs: 2 },
    })
    const allowed = ['deck/*', 'log']
    const target = { defaultTarget: { channel: 'deck/1' } }
    expect(read(target, { channels: { allowed } }).defaultTarget).toEqual({
      kind: 'channel',
      channel: 'deck/1',
    })
  })
})

type Wrong = readonly [fault: string, ...blocks: JsonObject[]]

/** Blocks, and how the one fault begins that they have. */
const WRONG: readonly Wrong[] = [
  ['a block of no known kind', {}],
  ['two blocks of kind slow_consumers', { slowConsumers: {} }, { slowConsumers: {} }],
  ['access.locks[0]: no acceptor magic', { access: { locks: ['magic'] } }],
  ['access: both locks and a flow', { access: { locks: ['token'], flow: {} } }],
  ['access.flow: neither lock, all nor any', { access: { flow: {} } }],
  ['slowConsumers.policy: no value 99', { slowConsumers: { policy: 99 } }],
  ['messages: neither bytes', { messages: {} }],
  ['messages.json.schema: ', { messages: { json: { schema: '{"type": 7}' } } }],
  ['messages.json.schema: ', { messages: { json: { schema: '{' } } }],
  ['messages.json.schema: ', { messages: { json: { schema: '"'.padEnd(65_537, ' ') } } }],
  ['messages.protobuf: ', { messages: { protobuf: { type: 'a.B' } } }],
  ['messages.protobuf: ', { messages: { protobuf: { descriptorSet: 'AAAA', type: 'a.B' } } }],
  ['history.keep: no value 9', { history: { keep: 9 } }],
  ['history.window: only with KEEP_WINDOW', { history: { keep: 'KEEP_DURABLE', window: {} } }],
  ['history.window: only with KEEP_WINDOW', { history: { window: {} } }],
  ...(['messages', 'bytes', 'ageMs'] as const).map(
    (bound): Wrong => [
      `history.window.${bound}: `,
      { history: { keep: 'KEEP_WINDOW', window: { [bound]: 86_400_001 } } },
    ],
  ),
  ['retention: only with history KEEP_DURABLE', { retention: { messages: '5' } }],
  [
    'retention: only with history KEEP_DURABLE',
    { retention: {} },
    { history: { keep: 'KEEP_WINDOW' } },
  ],
  ['retention.bytes: ', { retention: { bytes: '18446744073709551615' } }, DURABLE],
  ['sessionHistory.owners: no value 3', { sessionHistory: { owners: 3 } }],
  ['sessionHistory.overflow: no value -1', { sessionHistory: { overflow: -1 } }],
  ['sessionHistory.messages: ', { sessionHistory: { messages: 100_001 } }],
  ['sessionHistory.bytes: ', { sessionHistory: { bytes: 16_777_217 } }],
  [
    'sessionHistory.bytes: less than one message',
    { sessionHistory: { bytes: 100, overflow: 'OVERFLOW_REJECT' } },
    { limits: { payloadBytes: 101 } },
  ],
  ['unread: only with history KEEP_DURABLE', { unread: { enabled: true } }],
  ['presence.members: ', { presence: { members: 10_001 } }],
  ['presence.intervalMs: ', { presence: { enabled: true, intervalMs: 60_001 } }],
  ...[0, -1, 'NaN', 'Infinity'].map(
    (perSecond): Wrong => [
      `limits.socketRate.perSecond: ${perSecond}`,
      { limits: { socketRate: { perSecond, burst: 1 } } },
    ],
  ),
  ...[0.5, -1, 'NaN', 'Infinity'].map(
    (burst): Wrong => [
      `limits.roomRate.burst: ${burst}`,
      { limits: { roomRate: { perSecond: 1, burst } } },
    ],
  ),
  ['defaultTarget: neither channel nor group', { defaultTarget: {} }],
  ['defaultTarget.channel: a channel holds *', { defaultTarget: { channel: 'a/*' } }],
  ['defaultTarget.channel: a channel is empty', { defaultTarget: { channel: '' } }],
  [
    'defaultTarget.channel: block channels does not allow it',
    { channels: { allowed: ['a/**'] } },
    { defaultTarget: { channel: 'a' } },
  ],
  ['defaultTarget.group: block groups has no such group', { defaultTarget: { group: 'crew' } }],
  [
    'groups.groups[1].name: another group has it',
    { groups: { groups: [{ name: 'a' }, { name: 'a' }] } },
  ],
  ['groups.groups[0].name: the group is empty', { groups: { groups: [{}] } }],
  ['groups.groups[0].name: the group has upper-case', { groups: { groups: [{ name: 'A' }] } }],
  [
    'groups.groups[0].clients[1]: ',
    { groups: { groups: [{ name: 'a', clients: ['ann', 'b/c'] }] } },
  ],
  [
    'groups.groups[0].clients: 1025 items',
    { groups: { groups: [{ name: 'a', clients: Array(1_025).fill('ann') }] } },
  ],
  [
    'groups.groups: 65 items',
    { groups: { groups: Array.from({ length: 65 }, (_, i) => ({ name: `g${i}` })) } },
  ],
  ['groups.groups[0].delivery: no value 7', { groups: { groups: [{ name: 'a', delivery: 7 }] } }],
  ['channels.allowed: 257 items', { channels: { allowed: Array(257).fill('a') } }],
  ['channels.allowed[1]: ', { channels: { allowed: ['a', 'a/**/b'] } }],
  ['channels.allowed[0]: ', { channels: { allowed: [''] } }],
  ['retained.values: no value 5', { retained: { values: 5 } }],
  ['retained.channels: ', { retained: { channels: 100_001 } }],
  ...['', '../etc/passwd', 'a.js', 'A', 'a'.repeat(65), 'a\n'].map(
    (module): Wrong => ['program.module: ', { program: { module } }],
  ),
  ['program.budgetMs: ', { program: { module: 'a', budgetMs: 5_001 } }],
  [
    'a config of 10000',
    { program: { module: 'a', options: { x: 'y'.repeat(9_999_980) } } },
    { history: { keep: 9 } },
  ],
  ['program.otherwise: no value 3', { program: { module: 'a', otherwise: 3 } }],
]

const wrong = WRONG.map(([fault, ...blocks]) => ({ fault, blocks }))

test.each(wrong)('$fault … is the one fault of its config', ({ fault, blocks }) => {
  const told = faults(...blocks).map((each) => each.replace(/^blocks\[\d\](?:: |\.)/, ''))
  expect(told.map((each) => each.slice(0, fault.length))).toEqual([fault])
})

test('a fault is told by its path from the config on', () => {
  const lock = (acceptor: string, more: JsonObject = {}) => ({ lock: { acceptor, ...more } })
  const late = lock('token', { tries: 101, deadlineMs: 600_001, options: { colour: 'red' } })
  const flow = { any: { flows: [lock('magic'), { all: {} }, late] } }
  const paths = checkConfig(
    of({ echo: {} }, { access: { flow } }, { echo: {} }, { history: { keep: 9 } }),
    flows,
  ).map(({ path }) => path)
  expect(paths).toEqual([
    'blocks[1].access.flow.any.flows[0].lock.acceptor',
    'blocks[1].access.flow.any.flows[1].all',
    'blocks[1].access.flow.any.flows[2].lock.tries',
    'blocks[1].access.flow.any.flows[2].lock.deadlineMs',
    'blocks[1].access.flow.any.flows[2].lock.options',
    'blocks[2]',
    'blocks[3].history.keep',
  ])
})

test('of a config that is all wrong the first hundred faults are told', () => {
  expect(faults(...Array.from({ length: 5_000 }, () => ({})))).toHaveLength(100)
})

test('all faults are told, not the first alone', () => {
  expect(faults({ unread: { enabled: true } }, { retention: {} }, { messages: {} })).toHaveLength(3)
})

test('a config with a block that this gateway does not know is not read as if it had none', () => {
  const config = create(ConfigSchema, { blocks: [{ kind: { case: undefined } }] })
  expect(() => readConfig(config, flows)).toThrow('no known kind')
})

describe('what would not be kept as it is given', () => {
  test('is a field of a later version, wherever it stands: it may be a lock', () => {
    const later = (bytes: number[]) => fromBinary(ConfigSchema, new Uint8Array(bytes))
    const [number, access, flow, lock] = [0xf8, 0x0a, 0x12, 0x0a]
    // Field 127 of the lock, of its flow, of the block's message, and of the block.
    const fields = [number, 0x07, 0x01]
    const within = (tag: number, inner: number[]) => [tag, inner.length, ...inner]
    const inLock = later(within(0x0a, within(access, within(flow, within(lock, fields)))))
    const inBlock = later(within(0x0a, [...within(access, []), ...fields]))
    expect(checkConfig(inLock, flows)).toMatchObject([{ path: 'blocks[0].access.flow.lock' }])
    expect(checkConfig(inBlock, flows)).toMatchObject([{ path: 'blocks[0]' }])
  })

  test('is what JSON cannot hold', () => {
    const config = of({ program: { module: 'a', options: {} } })
    const deep: JsonObject = {}
    for (let i = 0, at = deep; i < 50_000; i++) at = at.x = {} as JsonObject
    for (const options of [{ x: Number.NaN }, deep]) {
      const { kind } = config.blocks[0]!
      if (kind.case === 'program') kind.value.options = options
      expect(checkConfig(config, flows)).toMatchObject([{ path: '' }])
    }
  })
})
