/** How many sockets a client or a token may have, of whichever media (R8, R33, R54). */
import { Code } from '@porthouse/proto/v1/code'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import { type Guest, MEDIA, type Medium } from './guest.ts'
import { comes, endOf, newRoom, newTokenIn } from './guests.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(() => gateway?.stop())

const PAIRS = MEDIA.flatMap((older) => MEDIA.map((newer): [Medium, Medium] => [older, newer]))

let clients = 0

/** Secret of a token that acts as a client with so many sockets at most. */
async function clientOf(room: string, maxSockets: number): Promise<string> {
  const slug = `one-${++clients}`
  await gateway.store.clients.create({ account: 'acme', slug, grants: [], maxSockets })
  return (await newTokenIn(gateway, room, { client: slug })).secret
}

interface Info {
  readonly self: boolean
  readonly identities: readonly string[]
}

async function socketsOf(guest: Guest): Promise<readonly Info[]> {
  return (await guest.commands('listSockets', {})).sockets as readonly Info[]
}

test.each(PAIRS)('of a client for one socket, on %s, the newer on %s takes over', async (a, b) => {
  const { room } = await newRoom(gateway)
  const secret = await clientOf(room, 1)
  const older = await comes(gateway, a, secret)
  await older.enters(room)
  const newer = await comes(gateway, b, secret)
  expect(await older.ended).toBe(endOf(a, Code.REPLACED))
  await newer.enters(room)
  await newer.says(room, 'here')
  expect(await socketsOf(newer)).toHaveLength(1)
})

describe.each(MEDIA)('over %s', (medium) => {
  test('a client of two sockets has no third, of any medium', async () => {
    const { room } = await newRoom(gateway)
    const secret = await clientOf(room, 2)
    const [one] = [await comes(gateway, medium, secret), await comes(gateway, 'json', secret)]
    for (const each of MEDIA) await expect(entered(each, room, secret)).rejects.toThrow()
    one.vanishes()
    await one.ended
    await comesUntil(medium, room, secret)
  })

  test('a share space has as many connections, named by the lowest number', async () => {
    const { room } = await newRoom(gateway)
    const { id, secret } = await newTokenIn(gateway, room, { maxConnections: MEDIA.length })
    const all = await Promise.all(MEDIA.map((each) => comes(gateway, each, secret)))
    const names = MEDIA.map((_, i) => `token:${id}/${i + 1}`)
    const seen = (await socketsOf(all[0] as Guest)).flatMap(({ identities }) => identities)
    expect(seen.toSorted()).toEqual(names)
    for (const each of MEDIA) await expect(entered(each, room, secret)).rejects.toThrow()
    const own = await identityOf(all[MEDIA.indexOf(medium)] as Guest)
    all[MEDIA.indexOf(medium)]?.vanishes()
    await all[MEDIA.indexOf(medium)]?.ended
    const next = await comesUntil(medium, room, secret)
    expect(await identityOf(next)).toBe(own)
    const other = all.find(({ medium: each }) => each !== medium) as Guest
    await other.writes([own], 'to the new one')
    expect(await next.hasTold('envelope')).toMatchObject({ content: { value: 'to the new one' } })
  })
})

async function identityOf(guest: Guest): Promise<string> {
  return (await socketsOf(guest)).find(({ self }) => self)?.identities[0] ?? ''
}

/** Rejects where there is no place for it: at its proof, or in its room. */
async function entered(medium: Medium, room: string, secret: string): Promise<Guest> {
  const guest = await comes(gateway, medium, secret)
  if ((await identityOf(guest)) === '') throw new Error('nobody')
  await guest.enters(room)
  return guest
}

/** Who is gone may still have a place for a moment. */
async function comesUntil(medium: Medium, room: string, secret: string): Promise<Guest> {
  for (let tries = 0; ; tries++) {
    try {
      return await entered(medium, room, secret)
    } catch (error) {
      if (tries === 100) throw error
    }
  }
}
