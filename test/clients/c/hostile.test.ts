/**
 * A gateway that lies, stalls, truncates or floods brings the samples in C to a stated end: their
 * exit code says that they failed, and stderr by which code of the table. They are compiled with
 * sanitizers, whose words on stderr would fail the test.
 */
import { Code } from '@porthouse/proto/v1/code'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Running } from '../../cli/process.ts'
import { BINARY, encodeFrame, PING, TEXT } from '../../support/raw-websocket.ts'
import { BUILD_MS } from '../languages.ts'
import { buildSamples, sampleFile } from './build.ts'
import { type Caller, LyingGateway, type Script } from './lying-gateway.ts'

const programs: Running[] = []
const gateways: LyingGateway[] = []

beforeAll(buildSamples, BUILD_MS)
afterAll(() => {
  for (const { process } of programs) process.kill('SIGKILL')
  for (const gateway of gateways) gateway.stop()
})

const ACCEPT = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
const problem = (code: string) => `HTTP/1.1 404 No\r\n\r\n{"title":"no","code":"${code}"}`
const raw = (payload: Uint8Array | string, options: object = {}) =>
  encodeFrame(BINARY, payload, { masked: false, ...options })

/** A frame of the gateway. */
const drop = (code: Code, retryAfterMs = 0) =>
  ({ body: { case: 'drop', value: { code, retryAfterMs } } }) as const
const joined = { route: 1, address: 'room:demo/hello', maySend: true, listening: true }
const message = (text: string) =>
  ({
    body: {
      case: 'envelope',
      value: {
        stamp: { id: new Uint8Array(16), from: 'client:demo/a', route: 1 },
        content: { case: 'text', value: text },
      },
    },
  }) as const

/** Lets it into the room. */
async function enter(caller: Caller): Promise<void> {
  const asked = await caller.welcome()
  const id = asked.find(({ body }) => body.case === 'room')!.id
  caller.say({ id, body: { case: 'room', value: { action: { case: 'joined', value: joined } } } })
}

const lies: Record<string, [string, Script]> = {
  'nothing at all': ['UNAVAILABLE', () => {}],
  'no word after the handshake': ['UNAVAILABLE', (caller) => caller.accept()],
  'another Accept': [
    'HANDSHAKE_INVALID',
    (caller) => caller.write([...ACCEPT, 'Sec-WebSocket-Accept: no', '', ''].join('\r\n')),
  ],
  'an extension that nobody asked for': [
    'HANDSHAKE_INVALID',
    (caller) => caller.accept(['Sec-WebSocket-Extensions: permessage-deflate']),
  ],
  'no HTTP': ['HANDSHAKE_INVALID', (caller) => caller.write('SSH-2.0-none\r\n\r\n')],
  'headers without end': [
    'HANDSHAKE_INVALID',
    (caller) => caller.write(`${ACCEPT.join('\r\n')}\r\n${'X: y\r\n'.repeat(2000)}`),
  ],
  'a refusal': ['PATH_UNKNOWN', (caller) => caller.write(problem('PATH_UNKNOWN'))],
  'a refusal that nobody knows': [
    'HANDSHAKE_INVALID',
    (caller) => caller.write(problem('SOMETHING_NEW')),
  ],
  'half an answer, and hangs up': ['UNAVAILABLE', ({ socket }) => socket.end('HTTP/1.1 10')],
  'nothing, and hangs up': ['UNAVAILABLE', ({ socket }) => socket.end()],
  'a frame with a mask': [
    'MALFORMED_PACKET',
    (caller) => {
      caller.accept()
      caller.write(raw('', { masked: true }))
    },
  ],
  'reserved bits': [
    'MALFORMED_PACKET',
    (caller) => {
      caller.accept()
      caller.write(raw('', { rsv: 4 }))
    },
  ],
  'a text': [
    'WRONG_DATA_TYPE',
    (caller) => {
      caller.accept()
      caller.write(encodeFrame(TEXT, '{}', { masked: false }))
    },
  ],
  'a frame of a terabyte': [
    'PACKET_TOO_LARGE',
    (caller) => {
      caller.accept()
      caller.write(raw('a', { length: 2n ** 40n }))
    },
  ],
  'half a frame, and hangs up': [
    'UNAVAILABLE',
    (caller) => {
      caller.accept()
      caller.socket.end(raw('\x0a\x02\x12\x00').subarray(0, 4))
    },
  ],
  'what is no packet': [
    'MALFORMED_PACKET',
    (caller) => {
      caller.accept()
      caller.write(raw(Buffer.alloc(100, 0xff)))
    },
  ],
  'a packet that runs past its end': [
    'MALFORMED_PACKET',
    (caller) => {
      caller.accept()
      caller.write(raw('\x0a\x7f\x12\x00'))
    },
  ],
  'a receipt that says nothing': [
    'MALFORMED_PACKET',
    async (caller) => {
      await caller.welcome()
      caller.say({ id: 77, body: { case: 'receipt', value: {} } })
    },
  ],
  'Welcome twice': [
    'FRAME_NOT_ALLOWED',
    async (caller) => {
      await caller.welcome()
      caller.say({ id: 1, body: { case: 'welcome', value: {} } })
    },
  ],
  'challenges without end': [
    'UNAUTHENTICATED',
    async (caller) => {
      await caller.welcome()
      const challenge = { acceptor: 'password', place: 'room:demo/hello' }
      const step = { lock: 'lock:aaaaaaaaaaaaaaaa', step: { case: 'challenge', value: challenge } }
      for (let i = 0; i < 1000; i++)
        caller.say({ body: { case: 'lockStep', value: step as never } })
    },
  ],
  'goodbye for good': [
    'KICKED',
    async (caller) => {
      await caller.welcome()
      caller.say(drop(Code.KICKED))
    },
  ],
  'come back tomorrow': [
    'DRAINING',
    async (caller) => {
      await caller.welcome()
      caller.say(drop(Code.DRAINING, 86_400_000))
    },
  ],
  'silence after Welcome': ['HEARTBEAT_TIMEOUT', (caller) => caller.welcome(100)],
  'pings without end, and goodbye': [
    'KICKED',
    async (caller) => {
      await caller.welcome()
      const ping = encodeFrame(PING, 'are you there', { masked: false })
      caller.write(Buffer.concat(Array.from({ length: 20_000 }, () => ping)))
      caller.say(drop(Code.KICKED))
    },
  ],
  'empty packets without end, and goodbye': [
    'KICKED',
    async (caller) => {
      await caller.welcome()
      caller.write(Buffer.concat(Array.from({ length: 50_000 }, () => raw(''))))
      caller.say(drop(Code.KICKED))
    },
  ],
}

function start(name: string, port: number, scheme = 'ws'): Running {
  const args = [`${scheme}://127.0.0.1:${port}`, 'demo/hello', 'token']
  const running = new Running(args, { command: sampleFile(name) })
  programs.push(running)
  return running
}

const fails = (code: string, stdout = '') => ({ code: 1, stdout, stderr: `${code}\n` })

async function lying(script: Script): Promise<LyingGateway> {
  const gateway = await LyingGateway.start(script)
  gateways.push(gateway)
  return gateway
}

// Those that say nothing wait for the client's patience of ten seconds: all at once.
describe.concurrent('a sample ends where a gateway says', () => {
  test.each(['mosquitto', 'paho'])('nothing at all, over MQTT by %s', async (library) => {
    const gateway = await lying(() => {})
    expect(await start(`hello-${library}`, gateway.port, 'mqtt').ended).toEqual(
      fails('UNAVAILABLE'),
    )
  })

  test.each(Object.entries(lies))('%s', async (_, [code, script]) => {
    const gateway = await lying(script)
    expect(await start('hello', gateway.port).ended).toEqual(fails(code))
    // Who was never in does not try again.
    expect(gateway.calls).toBe(1)
  })

  test.each(['hello', 'device'])('no MQTT to %s', async (sample) => {
    const gateway = await lying(() => {})
    gateway.greet(Buffer.alloc(100))
    const ended = await start(`${sample}-mosquitto`, gateway.port, 'mqtt').ended
    expect(ended).toEqual(fails('UNAVAILABLE'))
  })
})

test('who is let in and cut off, again and again, gives up', async () => {
  const gateway = await lying(async (caller) => {
    await enter(caller)
    caller.socket.end()
  })
  const ended = await start('chat', gateway.port).ended
  expect(ended).toEqual(fails('UNAVAILABLE', 'in room:demo/hello\n'))
  expect(gateway.calls).toBe(5)
})

test('what is too large is skipped, and what follows is heard', async () => {
  const gateway = await lying(async (caller) => {
    await enter(caller)
    caller.say(message('a'.repeat(70_000)), message('small'), drop(Code.KICKED))
  })
  const { code, stdout, stderr } = await start('chat', gateway.port).ended
  expect({ code, stdout }).toEqual({
    code: 1,
    stdout: 'in room:demo/hello\nclient:demo/a: small\n',
  })
  expect(stderr).toMatch(/^too large: 70\d{3} bytes\nKICKED\n$/)
})

test('a flood is heard as fast as it can be shown', async () => {
  const count = 20_000
  const gateway = await lying(async (caller) => {
    await enter(caller)
    for (let i = 0; i < count; i++) caller.say(message(`message ${i}`))
    caller.say(drop(Code.KICKED))
  })
  const { stdout, stderr } = await start('chat', gateway.port).ended
  expect(stderr).toBe('KICKED\n')
  expect(stdout.split('\n').length).toBe(count + 2)
})
