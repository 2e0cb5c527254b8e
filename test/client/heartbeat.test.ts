import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Client, connect } from '../../clients/ts/src/index.ts'
import { type Line, ManualClock, message, Peer } from '../support/peer.ts'

const HEARTBEAT_MS = 5000

let peer: Peer
let clock: ManualClock
let line: Line
let client: Client
beforeEach(async () => {
  peer = await Peer.start()
  clock = new ManualClock()
  const connecting = connect(peer.url, { clock })
  line = await peer.line()
  await line.welcome({ heartbeatMs: HEARTBEAT_MS })
  client = await connecting
})
afterEach(async () => {
  await client.close()
  await peer.stop()
})

/** Sends a message and waits until the client has it, so that time can go on. */
async function say(text: string): Promise<void> {
  const heard = client.messages().next()
  line.send(message(text, { route: 0, target: 'socket:aaaaaaaaaaaaaaaa' }))
  await heard
}

test('a silent gateway is asked for a sign of life, and given up after as long again', async () => {
  const lost = new Promise<{ error: { code: string } }>((resolve) =>
    client.on('reconnecting', resolve),
  )
  clock.advance(HEARTBEAT_MS)
  expect(await line.packet()).toEqual([])
  clock.advance(HEARTBEAT_MS)
  expect((await lost).error.code).toBe('HEARTBEAT_TIMEOUT')
  await line.closed
})

test('an answer keeps it, and is not answered', async () => {
  let lost = false
  client.on('reconnecting', () => {
    lost = true
  })
  for (let round = 0; round < 3; round++) {
    clock.advance(HEARTBEAT_MS)
    expect(await line.packet()).toEqual([])
    line.sendBytes(new Uint8Array())
    await say('in order, so the heartbeat was heard before')
  }
  expect(lost).toBe(false)
  // Had an answer been answered, it would come before this.
  await client.send('acme/boiler', 'x', { level: 'none' })
  await line.frame('envelope')
})

test('who only listens still gives signs of life', async () => {
  for (let second = 0; second < 5; second++) {
    clock.advance(1000)
    await say('another')
  }
  expect(await line.packet()).toEqual([])
})

test('an empty packet that answers nothing is not answered either [PH-10.1]', async () => {
  clock.advance(3000)
  line.sendBytes(new Uint8Array())
  await say('in order')
  await client.send('acme/boiler', 'x', { level: 'none' })
  await line.frame('envelope')
})

test('an answer that is there but not read yet, after a stall, counts', async () => {
  let lost = false
  client.on('reconnecting', () => {
    lost = true
  })
  clock.advance(HEARTBEAT_MS)
  expect(await line.packet()).toEqual([])
  line.sendBytes(new Uint8Array())
  clock.advance(HEARTBEAT_MS)
  await say('in order')
  expect(lost).toBe(false)
})
