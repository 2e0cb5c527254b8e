/** The TypeScript client as a peer: it does what it is told, and tells what came of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { create, fromBinary, type MessageInitShape, toJson } from '@bufbuild/protobuf'
import {
  type ActionSchema,
  ClientHelloSchema,
  ClientRequestSchema,
  ClientResponseSchema,
  OutcomeSchema,
} from '@porthouse/proto/conformance/v1/peer'
import { Transport } from '@porthouse/proto/conformance/v1/transport'
import { Keep } from '@porthouse/proto/room/v1/history'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../clients/ts/src/index.ts'
import { encoded, write } from '../../conformance/runner/delimited.ts'
import { TestGateway } from '../support/gateway.ts'
import { Peer } from '../support/peer.ts'

type Action = MessageInitShape<typeof ActionSchema>

const program = resolve(import.meta.dirname, '../../conformance/peers/ts/peer.ts')
const peer = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
const told = encoded(peer.stdout)

let gateway: TestGateway
let token: string

beforeAll(async () => {
  gateway = await TestGateway.start()
  const kept = { case: 'history', value: { keep: Keep.DURABLE } } as never
  await gateway.room('acme/board', [
    kept,
    { case: 'presence', value: { enabled: true, intervalMs: 20 } } as never,
  ])
  token = await gateway.token('acme', ['board'], { client: 'anna' })
})
afterAll(async () => {
  peer.stdin.end()
  const [code] = await once(peer, 'exit')
  await gateway?.stop()
  expect(code).toBe(0)
})

async function next(): Promise<Uint8Array> {
  return (await told.next()).value ?? expect.fail('the peer has ended')
}

async function play(url: string, ...does: (Action['does'] | Action)[]) {
  const actions = does.map((each) => (each && 'case' in each ? { does: each } : (each as Action)))
  const request = create(ClientRequestSchema, { url, transport: Transport.WEBSOCKET, actions })
  await write(peer.stdin, ClientRequestSchema, request)
  const { outcomes } = fromBinary(ClientResponseSchema, await next())
  return outcomes.map((outcome) => toJson(OutcomeSchema, outcome))
}

const room = 'acme/board'
const done = { done: {} }
const says = (text: string) => {
  const value = { to: room, content: { case: 'text' as const, value: text } }
  return { case: 'send' as const, value: { ...value, level: ReceiptLevel.STORED } }
}

test('it says first what it is', async () => {
  const { name, transports, features } = fromBinary(ClientHelloSchema, await next())
  expect(name).toMatch(/^porthouse-ts \d/)
  expect(transports).toEqual([Transport.WEBSOCKET])
  expect(features).toContain('nested-locks')
})

test('it joins, sends, hears, reads back, asks who is there, and leaves', async () => {
  const bobs = await gateway.token('acme', ['board'], { client: 'bob' })
  await using other = await connect(gateway.url, { token: bobs })
  const others = await other.join(room)
  const messages = others.messages()
  const playing = play(
    gateway.url,
    { case: 'connect', value: { token } },
    {
      case: 'join',
      value: { address: room, since: { case: 'start', value: true }, presence: true },
    },
    { case: 'event', value: { name: 'caught_up' } },
    says('one'),
    { case: 'hear', value: { room, count: 1 } },
    { case: 'fetch', value: { room, afterSequence: 0n } },
    { case: 'event', value: { name: 'presence' } },
    { case: 'members', value: { room } },
    { case: 'read', value: { room, sequence: 2n } },
    { case: 'leave', value: { room } },
    says('late'),
    { case: 'close', value: {} },
    { case: 'event', value: { name: 'closed' } },
  )
  await messages.next()
  await others.send('two', { correlationId: 'x', headers: { a: 'b' }, contentType: 'text/plain' })
  const [connected, joined, caughtUp, receipt, heard, fetched, presence, ...rest] = await playing
  expect(connected).toEqual(done)
  expect(joined).toMatchObject({ joined: { address: 'room:acme/board', maySend: true } })
  expect(caughtUp).toMatchObject({ happened: { name: 'caught_up' } })
  expect(receipt).toMatchObject({ receipt: { status: 'RECEIPT_STATUS_STORED', sequence: '1' } })
  const two = {
    text: 'two',
    contentType: 'text/plain',
    headers: { a: 'b' },
    correlationId: 'eA==',
    stamp: { from: 'client:acme/bob', sequence: '2', target: 'room:acme/board' },
  }
  expect(heard).toMatchObject({ heard: { messages: [two] } })
  expect(fetched).toMatchObject({ heard: { messages: [{ text: 'one' }, two] } })
  expect(presence).toMatchObject({ happened: { address: 'room:acme/board', count: 2 } })
  const members = { members: { addresses: ['client:acme/anna', 'client:acme/bob'] } }
  const closed = { failure: { ownCode: 'CLOSED' } }
  expect(rest).toEqual([members, done, done, closed, done, { happened: { name: 'closed' } }])
})

test('it tells failures by their codes, what lasts too long, and several at once', async () => {
  const unknown = { case: 'join' as const, value: { address: 'acme/nowhere' } }
  const outcomes = await play(
    gateway.url,
    { case: 'connect', value: { token } },
    unknown,
    { case: 'join', value: { address: room } },
    { withinMs: 10, does: { case: 'hear', value: { room, count: 1 } } },
    {
      case: 'together',
      value: { actions: [{ does: says('three') }, { does: unknown }] },
    },
  )
  const failure = { code: 'CODE_ROOM_UNKNOWN' }
  expect(outcomes).toMatchObject([
    done,
    { failure },
    { joined: {} },
    { timedOut: true },
    { together: { outcomes: [{ receipt: { status: 'RECEIPT_STATUS_STORED' } }, { failure }] } },
  ])
})

test('where it did not connect, nothing can be done', async () => {
  const outcomes = await play(
    gateway.url,
    { case: 'connect', value: { token: 'wrong' } },
    { case: 'join', value: { address: room } },
    { case: 'hear', value: { count: 1 } },
    { case: 'event', value: { name: 'closed' } },
  )
  const closed = { failure: { ownCode: 'CLOSED' } }
  expect(outcomes).toEqual([{ failure: { code: 'CODE_UNAUTHENTICATED' } }, closed, closed, closed])
})

test('it tells the steps of locks, and why it is over', async () => {
  const script = await Peer.start()
  const playing = play(
    script.url,
    { case: 'connect', value: { token: 'secret' } },
    { case: 'event', value: { name: 'verdict' } },
    { case: 'event', value: { name: 'closed' } },
  )
  const line = await script.line()
  await line.welcome()
  line.sendBytes(Uint8Array.of(0x0b))
  expect(await playing).toMatchObject([
    done,
    { happened: { name: 'verdict', verdict: { outcome: 'OUTCOME_PASSED' } } },
    { happened: { name: 'closed', code: 'CODE_MALFORMED_PACKET' } },
  ])
  await script.stop()
})
