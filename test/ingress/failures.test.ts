/** Secrets tried in masses from one network (threat K15). */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { answer, text } from '../support/client-frames.ts'
import { TestGateway } from '../support/gateway.ts'
import { dropped, member } from '../support/outcome.ts'
import {
  encodeHandshake,
  exchange,
  RawWebSocket,
  resetRawWebSockets,
} from '../support/raw-websocket.ts'

let gateway: TestGateway
let token: string

beforeAll(async () => {
  gateway = await TestGateway.start({ limbo: { failures: 12 } })
  await gateway.room('acme/boiler')
  token = await gateway.token('acme', ['boiler'])
})
afterEach(resetRawWebSockets)
afterAll(() => gateway.stop())

test('beyond the rate nobody new is let in, and who is in stays', async () => {
  const inside = await member(gateway, token, 'room:acme/boiler')
  for (let i = 0; i < 4; i++) {
    const socket = await RawWebSocket.open(gateway.port)
    socket.packet(answer(1, 'a'), answer(2, 'b'), answer(3, 'c'))
    expect((await dropped(socket)).code).toBe('TRIES_EXHAUSTED')
  }
  const refused = await exchange(gateway.port, encodeHandshake())
  expect(refused).toMatch(/^HTTP\/1\.1 429 /)
  expect(refused).toContain('RATE_LIMITED')
  inside.socket.packet(text(9, 'still here', { route: inside.route }))
  expect(await inside.socket.frame()).toMatchObject({ id: 9 })
})
