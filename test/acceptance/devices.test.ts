/** A device URL is challenged, answers, and is moved in with no command (R4). */
import { createHash, randomBytes } from 'node:crypto'
import { create, toJsonString } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { bin } from '../cli/process.ts'
import { type FrameInit, packetOf, say, text } from '../support/client-frames.ts'
import { dropped } from '../support/outcome.ts'
import { BINARY, RawWebSocket, resetRawWebSockets, TEXT } from '../support/raw-websocket.ts'
import { Hub } from './hub.ts'

const END = '\u0004'
const RESPONSE = randomBytes(32).toString('hex')

let hub: Hub
let device: string

beforeAll(async () => {
  hub = await Hub.start()
  await hub.json(['account', 'create', 'acme'])
  await hub.json(['room', 'create', 'acme/boiler', '--lock', 'preset'])
  const args = ['client', 'create', 'acme/pump', '--preset', '-', '--room', 'boiler:send']
  device = (await hub.json<{ id: string }>(args, { input: `who is there?:${RESPONSE}` })).id
})
afterEach(resetRawWebSockets)
afterAll(async () => {
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

const says = (data: Uint8Array, text: string) => Buffer.from(data).toString() === text

test('the command line is such a device, and one by a secret URL', async () => {
  const place = `${hub.url}/acme/boiler/${device}/`
  // At a terminal of its own, which `script` makes, a person answers for it.
  const line = [bin, 'connect', place].map((word) => `'${word}'`).join(' ')
  const talking = hub.begin(['-qec', line, '/dev/null'], { command: 'script' })
  onTestFinished(() => void talking.process.kill('SIGKILL'))
  await talking.says('it says: who is there?')
  await talking.says('Response: ')
  talking.process.stdin.write(`${RESPONSE}\r`)
  await talking.says('connected to room:acme/boiler')
  await talking.says('> ')
  talking.process.stdin.write(END)
  expect((await talking.ended).code).toBe(0)

  const secret = randomBytes(16).toString('hex')
  const sha256 = createHash('sha256').update(secret).digest('hex')
  const access = { visitors: { send: true } }
  await hub.room('acme/drop', { lock: { acceptor: 'url', options: { sha256 } } }, access)
  for (const command of ['connect', 'send']) {
    const text = command === 'send' ? ['hi'] : []
    const by = (path: string) =>
      hub.run([command, `${hub.url}/acme/drop${path}`, ...text], { input: 'hi\n' })
    expect(await by(`/~${secret}`)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^VOID/),
    })
    expect(await by(`/~${secret.toUpperCase()}x`)).toMatchObject({ code: 3 })
    expect(await by('')).toMatchObject({ code: 3 })
  }
})

const lanes = [
  ['binary', 'porthouse.v1', BINARY],
  ['JSON', 'porthouse.v1.json', TEXT],
] as const

describe.each(lanes)('in the %s lane', (_name, protocol, opcode) => {
  const call = (client: string) =>
    RawWebSocket.open(hub.port, { path: `/acme/boiler/${client}/`, protocol })

  function send(socket: RawWebSocket, ...frames: FrameInit[]): void {
    const json = () => toJsonString(PacketSchema, create(PacketSchema, { frames }))
    socket.send(opcode, opcode === BINARY ? packetOf(...frames) : json())
  }

  test('it says nothing before it is asked, answers, and may send', async () => {
    const socket = await call(device)
    expect((await socket.frame(opcode)).body).toMatchObject({
      case: 'lockStep',
      value: {
        step: {
          case: 'challenge',
          value: {
            acceptor: 'preset',
            place: 'room:acme/boiler',
            ask: { case: 'data', value: expect.toSatisfy((data) => says(data, 'who is there?')) },
          },
        },
      },
    })
    send(socket, say(1, 'preset', RESPONSE))
    const [verdict, joined] = await socket.frames(2, opcode)
    expect(verdict).toMatchObject({
      id: 1,
      body: { value: { step: { case: 'verdict', value: { outcome: 1 } } } },
    })
    const action = { value: { address: 'room:acme/boiler', maySend: true, listening: false } }
    expect(joined!.body).toMatchObject({ case: 'room', value: { action } })
    send(socket, text(2, '21.5 °C', { to: ['room:acme/boiler'] }))
    expect((await socket.frame(opcode)).body).toMatchObject({ case: 'receipt' })
  })

  test('a wrong answer is told, and the last of its tries ends it', async () => {
    const socket = await call(device)
    await socket.frame(opcode)
    send(socket, ...[1, 2, 3].map((id) => say(id, 'preset', 'me')))
    const { code, before } = await dropped(socket, opcode)
    expect(code).toBe('TRIES_EXHAUSTED')
    expect(before.some(({ body }) => body.case === 'room')).toBe(false)
  })

  test('a device that nobody registered is asked as any other, in vain', async () => {
    const socket = await call(crypto.randomUUID())
    expect((await socket.frame(opcode)).body).toMatchObject({
      value: { step: { case: 'challenge', value: { ask: { case: 'data' } } } },
    })
    send(socket, say(1, 'preset', RESPONSE))
    const [verdict] = await socket.frames(1, opcode)
    expect(verdict!.body).toMatchObject({ value: { step: { value: { outcome: 2 } } } })
  })
})
