/** K11, K12, K16, R4, R14: ways in at a real gateway, by what belongs to another place. */
import { randomBytes, randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { AccessSchema } from '@porthouse/proto/room/v1/access'
import type { Challenge } from '@porthouse/proto/v1/lock_step'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loginMessage } from '../../gateway/identity/login-message.ts'
import { readPublicKeyLine } from '../../gateway/identity/ssh-public-key.ts'
import { answer, type FrameInit, hello, join } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { brief } from '../support/heard.ts'
import { dropped } from '../support/outcome.ts'
import { RawWebSocket, resetRawWebSockets, TEXT } from '../support/raw-websocket.ts'
import { ed25519, sshsig } from '../support/sshsig.ts'
import { guarded, lock } from './hostile-hall.ts'

const CLIENT = 'client:acme/ann'

let gateway: TestGateway
const key = ed25519()
const ids = { ann: '', bob: '' }

beforeAll(async () => {
  gateway = await TestGateway.start()
  await gateway.room('acme/a', [guarded(lock('ssh-key'))])
  await gateway.room('acme/b', [guarded(lock('ssh-key'))])
  await gateway.room('acme/boiler')
  await gateway.room('acme/open', [{ case: 'access', value: create(AccessSchema) }])
  for (const slug of ['ann', 'bob'] as const) {
    const grants = ['a', 'b', 'boiler'].map((room) => ({ room, send: true, receive: true }))
    ids[slug] = (await gateway.store.clients.create({ account: 'acme', slug, grants })).id
  }
  const { data } = readPublicKeyLine(key.line)
  const facts = { id: randomUUID(), kind: 'ssh-key', account: 'acme', client: 'ann' } as const
  await gateway.store.credentials.add({ ...facts, data, label: '' })
})
afterEach(resetRawWebSockets)
afterAll(() => gateway?.stop())

interface Asked {
  readonly nonce: Uint8Array
  readonly socket: string
  readonly place: string
}

/** Goes for a place, undefined the main lobby, and is asked there. */
async function askedAt(place?: string): Promise<{ socket: RawWebSocket; asked: Asked }> {
  const socket = await RawWebSocket.open(gateway.port)
  socket.packet(place === undefined ? signed(1) : join(1, place))
  return { socket, asked: await challenged(socket) }
}

async function challenged(socket: RawWebSocket): Promise<Asked> {
  const { body } = await socket.frame()
  const step = body.case === 'lockStep' ? body.value.step : undefined
  if (step?.case !== 'challenge') throw new Error(`not asked: ${body.case}`)
  const { ask, place } = step.value as Challenge
  if (ask.case !== 'nonce') throw new Error(`asked for ${ask.case}`)
  return { ...ask.value, place }
}

const url = () => `http://127.0.0.1:${gateway.port}`

/** An answer that signs this, as if it were what was asked; without it, a wish to be asked. */
function signed(id: number, asked?: Asked, more: { client?: string; gateway?: string } = {}) {
  const { client = CLIENT, gateway: claimed = url() } = more
  const message = asked && loginMessage({ ...asked, client, gateway: claimed })
  const response = message && {
    case: 'signature',
    value: { client, gateway: claimed, signature: sshsig(key, message) },
  }
  const value = { acceptor: 'ssh-key', ...(response && { response }) }
  return {
    id,
    body: { case: 'lockStep', value: { step: { case: 'answer', value } } as never },
  } as FrameInit
}

const WRONG = '2 verdict failed UNAUTHENTICATED'

describe('a signature (K11, K12)', () => {
  test('opens what it was made for, once', async () => {
    const { socket, asked } = await askedAt('room:acme/a')
    socket.packet(signed(2, asked))
    expect((await socket.frames(2)).map(brief)).toEqual([
      '2 verdict passed',
      '1 joined room:acme/a',
    ])
  })

  test('for one room opens neither another one nor the lobby, nor theirs a room', async () => {
    for (const [made, used] of [
      ['room:acme/a', 'room:acme/b'],
      ['room:acme/a', undefined],
      [undefined, 'room:acme/a'],
    ]) {
      const { socket, asked } = await askedAt(used)
      socket.packet(signed(2, { ...asked, place: made ?? '' }))
      expect(brief(await socket.frame())).toBe(WRONG)
    }
  })

  test('for one socket opens none beside it', async () => {
    const [one, two] = [await askedAt('room:acme/a'), await askedAt('room:acme/a')]
    two.socket.packet(signed(2, one.asked))
    expect(brief(await two.socket.frame())).toBe(WRONG)
    // Nor with only the nonce, or only the socket, of the other.
    const mixed = await challenged(two.socket)
    two.socket.packet(signed(2, { ...mixed, nonce: one.asked.nonce }))
    expect(brief(await two.socket.frame())).toBe(WRONG)
  })

  test('for a nonce that was answered wrong is late', async () => {
    const { socket, asked } = await askedAt('room:acme/a')
    socket.packet(signed(2, { ...asked, nonce: randomBytes(32) }), signed(3, asked))
    expect((await socket.frames(3)).map(brief)).toEqual([
      WRONG,
      '1 challenge ssh-key',
      '3 verdict failed UNAUTHENTICATED',
    ])
  })

  test.each([
    ['another gateway', { gateway: 'https://evil.example' }],
    ['another client', { client: 'client:acme/bob' }],
    ['a client of another account', { client: 'client:other/ann' }],
    ['no client', { client: '' }],
  ])('for %s opens nothing', async (_name, more) => {
    const { socket, asked } = await askedAt('room:acme/a')
    socket.packet(signed(2, asked, more))
    expect(brief(await socket.frame())).toBe(WRONG)
  })
})

describe('a URL that names a client (R4)', () => {
  test('lets nobody in as another one, nor as nobody', async () => {
    const ann = await gateway.token('acme', ['boiler'], { client: 'ann' })
    const nobody = await gateway.token('acme', ['boiler'])
    for (const [secret, id] of [
      [ann, ids.bob],
      [ann, randomUUID()],
      [nobody, ids.ann],
    ] as const) {
      const path = `/acme/boiler/${id}/`
      const socket = await RawWebSocket.open(gateway.port, { path })
      socket.packet(answer(2, secret))
      expect((await dropped(socket)).code).toBe('ENTRY_NOT_PERMITTED')
    }
    const path = `/acme/boiler/${ids.ann.toUpperCase()}/`
    const socket = await RawWebSocket.open(gateway.port, { path })
    socket.packet(answer(2, ann))
    expect((await socket.frames(3)).map(brief).at(-1)).toBe('0 joined room:acme/boiler')
  })

  test('is a claim alone in an open room, and gives no name', async () => {
    const path = `/acme/open/${ids.ann}/`
    const socket = await RawWebSocket.open(gateway.port, { path })
    expect((await dropped(socket)).code).toBe('ENTRY_NOT_PERMITTED')
  })
})

test('a token in the URL, the query or a header is none (K16)', async () => {
  const secret = await gateway.token('acme', ['boiler'])
  for (const options of [
    { path: `/acme/boiler?token=${secret}` },
    { path: `/acme/boiler/~${secret}` },
    { path: '/acme/boiler', headers: { Authorization: `Bearer ${secret}` } },
    { path: '/acme/boiler', headers: { Cookie: `token=${secret}` } },
  ]) {
    const socket = await RawWebSocket.open(gateway.port, options)
    socket.packet(hello(1))
    expect((await socket.frames(2)).map(brief)).toEqual(['0 challenge token', '1 welcome'])
  }
})

test('messages of nothing use up what a teleprinter may send in limbo (R14)', async () => {
  const socket = await RawWebSocket.open(gateway.port, { path: '/acme/boiler', protocol: null })
  for (let i = 0; i < 9_000; i++) socket.send(TEXT)
  expect((await socket.ended).reason).toMatch(/^LIMBO_LIMIT/)
})
