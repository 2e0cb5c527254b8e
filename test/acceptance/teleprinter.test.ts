/** A bare WebSocket meets the teleprinter, is thrown out, and is recognised on return (R17). */
import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { RawWebSocket, resetRawWebSockets, TEXT } from '../support/raw-websocket.ts'
import { Hub } from './hub.ts'

interface Offender {
  readonly subject: string
  readonly count: number
}

const NETWORK = 'address:127.77.1.0/24'

let hub: Hub

beforeAll(async () => {
  hub = await Hub.start()
  await hub.json(['account', 'create', 'acme'])
  const answer_sha256 = createHash('sha256').update('mellon').digest('hex')
  const options = { prompts: [{ text: 'The word:', answer_sha256 }] }
  await hub.room(
    'acme/door',
    { any: { flows: [{ lock: { acceptor: 'tty', options } }, { lock: { acceptor: 'token' } }] } },
    { visitors: { send: true, receive: true } },
  )
})
afterEach(resetRawWebSockets)
afterAll(async () => {
  expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
})

/** What a text tool does: it offers no subprotocol, and sends a line a message. */
const call = (from = '127.77.1.1') =>
  RawWebSocket.open(hub.port, { path: '/acme/door', protocol: null, from })

async function see(socket: RawWebSocket, what: string): Promise<string> {
  let text = ''
  while (!text.includes(what)) text += await socket.next(TEXT)
  return text
}

/** All that it shows until it ends, and how. */
async function showing(socket: RawWebSocket): Promise<string> {
  const { reason } = await socket.ended
  let text = ''
  for (;;) {
    const line = await socket.next(TEXT).catch(() => undefined)
    if (line === undefined) return `${text}${reason}`
    text += line
  }
}

test('wrong is told so and dropped, known on return, and forgiven by an admin', async () => {
  const first = await call()
  expect(await see(first, 'The word:')).toContain('This is room:acme/door.')
  first.send(TEXT, 'melon\n')
  const told = await showing(first)
  expect(told).toContain('Wrong. UNAUTHENTICATED')
  expect(told).toContain('Goodbye.')

  const again = await showing(await call('127.77.1.2'))
  expect(again).toContain('You again: 1 wrong answer')
  expect(again).toContain('OFFENDER')
  expect(again).not.toContain('The word:')
  // Who comes from elsewhere is not blamed.
  await see(await call('127.78.1.1'), 'The word:')

  const offenders = await hub.json<Offender[]>(['offender', 'list'])
  expect(offenders).toMatchObject([{ subject: NETWORK, count: 1 }])
  expect(await hub.json(['offender', 'clear', NETWORK])).toEqual({ cleared: 1 })
  expect(await hub.json(['offender', 'list'])).toEqual([])

  const forgiven = await call()
  await see(forgiven, 'The word:')
  forgiven.send(TEXT, 'mellon\n')
  await see(forgiven, 'You are in room:acme/door')
})

test('who is in by text talks with those who are in by the command line', async () => {
  const grant = ['token', 'create', 'acme', '--room', 'door:send,receive']
  const { secret } = await hub.json<{ secret: string }>(grant)
  const listening = hub.begin(['listen', 'acme/door', '--token', secret, '--text', '--count', '1'])
  await listening.says('listening', 'stderr')
  const person = await call('127.79.1.1')
  await see(person, 'The word:')
  person.send(TEXT, 'mellon\n')
  await see(person, 'You are in')
  person.send(TEXT, 'is anybody here?\n')
  expect(await listening.ended).toMatchObject({ code: 0, stdout: 'is anybody here?\n' })
  await hub.run(['send', 'acme/door', 'yes, at last', '--token', secret])
  await see(person, ': yes, at last')
})
