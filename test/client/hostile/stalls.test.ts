/** Gateways that stall: whoever waits is told, and nothing hangs. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Code } from '@porthouse/proto/v1/code'
import { Replay } from '@porthouse/proto/v1/envelope'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect } from '../../../clients/ts/src/index.ts'
import { welcome } from '../../support/lock-frames.ts'
import { drop, type Line, message } from '../../support/peer.ts'
import { action, type FrameInit, Midst } from './midst.ts'

const BEAT_MS = 1000

let midst: Midst
beforeEach(async () => {
  midst = await Midst.open()
})
afterEach(() => midst.close())

describe('a gateway that stalls', () => {
  test('before its handshake', async () => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const connecting = connect(`ws://127.0.0.1:${port}`, { clock: midst.clock })
    const [socket] = await once(server, 'connection')
    midst.clock.advance(10_000)
    await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    socket.destroy()
    server.close()
  })

  test.each<[string, string, (line: Line, id: number) => void]>([
    ['before its Welcome', '', () => {}],
    ['before its verdict', '', (line, id) => line.send(welcome(id))],
    ['before it lets in', '/acme/boiler', (line, id) => line.send(welcome(id))],
    ['within its Welcome', '', (line) => line.sendRaw(Uint8Array.of(0x82, 100, 0x0a))],
  ])('%s', async (_, path, says) => {
    const connecting = connect(`${midst.peer.url}${path}`, { clock: midst.clock, token: 'secret' })
    const stalled = await midst.peer.line()
    const [hello] = await stalled.packet()
    says(stalled, hello!.id)
    midst.clock.advance(10_000)
    await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    await stalled.closed
  })

  test.each<[string, () => Promise<unknown>]>([
    ['a receipt', () => midst.room.send('x')],
    ['a page', () => midst.room.fetch()],
    ['a Joined', () => midst.client.join('acme/other')],
    ['a list', () => midst.client.sockets().next()],
    ['a cursor', () => midst.room.read(3n)],
  ])('and never sends %s: the question ends, the client does not', async (_, ask) => {
    const asking = ask()
    asking.catch(() => {})
    await midst.line.packet()
    midst.clock.advance(75_000)
    await expect(asking).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    await midst.goesOn()
  })

  test('and never sends the past that it has promised', async () => {
    const joining = midst.client.join('acme/board', { since: 'start' })
    const { id } = await midst.line.frame('room')
    const backlog = { recovered: true, afterSequence: 0n }
    const value = { address: 'room:acme/board', route: 2, listening: true, epoch: 1n, backlog }
    midst.line.send({ ...action({ case: 'joined', value }), id } as FrameInit)
    const board = await joining
    const heard = board.messages().next()
    midst.line.send(message('one', { route: 2, sequence: 1n, replay: Replay.HISTORY }))
    expect((await heard).value).toMatchObject({ text: 'one' })
    // It got further once, and then no more.
    midst.clock.advance(60_000)
    await midst.goesOn()
    midst.clock.advance(60_000)
    await expect(board.caughtUp).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    expect((await midst.closed).error).toMatchObject({ code: 'UNAVAILABLE' })
  })

  test.each<[string, () => void]>([
    ['and answers no heartbeat', () => {}],
    ['within a packet', () => midst.line.sendRaw(Uint8Array.of(0x82, 100, 0x0a))],
  ])('%s', async (_, says) => {
    await midst.connect({}, BEAT_MS)
    const loop = midst.room.messages().next()
    says()
    midst.clock.advance(BEAT_MS)
    expect(await midst.line.packet()).toEqual([])
    midst.clock.advance(BEAT_MS)
    await expect(loop).rejects.toMatchObject({ code: 'HEARTBEAT_TIMEOUT', temporary: true })
  })

  test('after it has said that it ends', async () => {
    const dropped = new Promise((resolve) => midst.client.on('drop', resolve))
    midst.line.pause()
    midst.line.send(drop(0, Code.DRAINING))
    await dropped
    midst.clock.advance(1000)
    expect((await midst.closed).error).toMatchObject({ code: 'DRAINING' })
  })
})
