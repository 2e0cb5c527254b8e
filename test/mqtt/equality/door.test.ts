/** At a room's door: who knocks, who is asked and let in, or not (R16, R18, R54). */
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { EventKind } from '@porthouse/proto/v1/event'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { any, guardedBy } from '../../support/access.ts'
import { say } from '../../support/client-frames.ts'
import { TestGateway } from '../../support/gateway.ts'
import { OPEN } from '../../support/memory-store.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import { MEDIA, type Medium } from './guest.ts'
import { comes, newRoom, newTokenIn } from './guests.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway?.stop())

const PAIRS = MEDIA.flatMap((inside) => MEDIA.map((outside): [Medium, Medium] => [inside, outside]))

/** Somebody inside who may let in, and a stranger outside who has knocked. */
async function knocked(inside: Medium, outside: Medium) {
  const { room } = await newRoom(gateway, guardedBy(any('knock', 'token')))
  const { secret } = await newTokenIn(gateway, room, { admit: true })
  const dora = await comes(gateway, inside, secret)
  await dora.enters(room)
  const { room: through } = await newRoom(gateway, OPEN)
  const guest = await comes(gateway, outside, undefined, { through })
  const entering = guest.enters(room)
  entering.catch(() => undefined)
  const { body } = await guest.told('lockStep')
  expect(body.value).toMatchObject({ step: { case: 'challenge' } })
  guest.tells(say(guest.nextId(), 'knock', 'me'))
  const event = (await dora.hasTold('event')) as { kind: EventKind; lock: string; socket: string }
  expect(event).toMatchObject({ kind: EventKind.KNOCKED, socket: guest.address, detail: 'me' })
  return { room, dora, guest, lock: event.lock, entering }
}

describe.each(PAIRS)('inside by %s, outside by %s', (inside, outside) => {
  test('one speaks to the other, and lets him in', async () => {
    const { room, dora, guest, lock, entering } = await knocked(inside, outside)
    await dora.writes([lock], 'who is there?')
    const { content, stamp } = (await guest.hasTold('envelope')) as unknown as Envelope
    expect(content.value).toBe('who is there?')
    expect(stamp?.route).toBe(0)
    await dora.commands('admit', { lock, admitted: true })
    await entering
    await dora.says(room, 'welcome')
    expect(await guest.hearsText()).toBe('welcome')
  })

  test('one does not let the other in', async () => {
    const { dora, lock, entering } = await knocked(inside, outside)
    await dora.commands('admit', { lock, admitted: false })
    await expect(entering).rejects.toThrow('refused')
  })
})
