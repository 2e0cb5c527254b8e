/** Wills: said when a client is gone without a word, in its name, and only what it may say then. */
import { Code } from '@porthouse/proto/v1/code'
import type { IConnectPacket } from 'mqtt-packet'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { codeInfo } from '../../../gateway/protocol/codes.ts'
import { MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { arrive, type House, startHouse, textOf } from './house.ts'

let house: House

beforeAll(async () => {
  house = await startHouse()
})
afterEach(resetMqttClients)
afterAll(() => house.gateway.stop())

let names = 0
const name = () => `device-${++names}`

type Will = Partial<NonNullable<IConnectPacket['will']>> & { readonly delay?: number }

function will(topic: string, payload: string, { delay, properties, ...rest }: Will = {}) {
  const given = { ...properties, ...(delay !== undefined && { willDelayInterval: delay }) }
  return {
    will: {
      topic,
      payload: Buffer.from(payload),
      qos: 1 as const,
      retain: false,
      properties: given,
      ...rest,
    },
  }
}

/** Who hears the hall, in a session of its own. */
async function hearer(topic = 'acme/hall/#'): Promise<MqttClient> {
  const { client } = await arrive(house, name(), { expiry: 0, clean: true })
  await client.subscribe(topic, 1)
  return client
}

describe('a will', () => {
  it.each([4, 5] as const)('is said when the connection breaks (version %s)', async (version) => {
    const listener = await hearer()
    const { client } = await arrive(house, name(), {
      version,
      clean: true,
      expiry: 0,
      ...will('acme/hall/state', 'gone'),
    })
    client.reset()
    expect(await listener.message()).toMatchObject({ topic: 'acme/hall/state', qos: 1 })
  })

  it('is not said after a DISCONNECT, unless that wants it', async () => {
    const listener = await hearer()
    const { client } = await arrive(house, name(), will('acme/hall', 'not this'))
    await client.disconnect()
    const { client: other } = await arrive(house, name(), will('acme/hall', 'this'))
    other.send({ cmd: 'disconnect', reasonCode: 0x04 })
    expect(textOf(await listener.message())).toBe('this')
  })

  it('brings its properties', async () => {
    const listener = await hearer()
    const properties = {
      contentType: 'text/plain',
      responseTopic: 'acme/hall/answers',
      correlationData: Buffer.from('7'),
      userProperties: { a: 'b' },
    }
    const { client } = await arrive(house, name(), will('acme/hall', 'gone', { properties }))
    client.reset()
    expect((await listener.message()).properties).toMatchObject(properties)
  })

  it('is said after its delay, or at the end of the session, if that is earlier', async () => {
    const listener = await hearer()
    const late = await arrive(house, name(), will('acme/hall', 'late', { delay: 1 }))
    const ends = await arrive(house, name(), {
      expiry: 1,
      ...will('acme/hall', 'ends', { delay: 100 }),
    })
    const now = await arrive(house, name(), will('acme/hall', 'now'))
    for (const { client } of [late, ends, now]) client.reset()
    const first = textOf(await listener.message())
    const rest = [textOf(await listener.message()), textOf(await listener.message())]
    expect([first, ...rest.sort()]).toEqual(['now', 'ends', 'late'])
  })

  it('is not said if its client is back before', async () => {
    const listener = await hearer()
    const id = name()
    const { client } = await arrive(house, id, will('acme/hall', 'void', { delay: 1 }))
    client.reset()
    await arrive(house, id)
    const other = await arrive(house, name(), will('acme/hall', 'said', { delay: 2 }))
    other.client.reset()
    expect(textOf(await listener.message())).toBe('said')
  })

  it('is said at once where a clean start ends its session', async () => {
    const listener = await hearer()
    const id = name()
    const { client } = await arrive(house, id, will('acme/hall', 'ended', { delay: 100 }))
    client.reset()
    await arrive(house, id, { clean: true })
    expect(textOf(await listener.message())).toBe('ended')
  })

  it('is said at a takeover, but for one with a delay whose session goes on', async () => {
    const listener = await hearer()
    const id = name()
    const { client } = await arrive(house, id, will('acme/hall', 'void', { delay: 100 }))
    await arrive(house, id, will('acme/hall', 'taken over'))
    await client.ended
    await arrive(house, id)
    expect(textOf(await listener.message())).toBe('taken over')
    expect(await listener.settled()).toEqual([])
  })

  it('survives a restart of the gateway', async () => {
    const { client } = await arrive(house, name(), will('acme/attic/w', 'after', { delay: 2 }))
    client.reset()
    const id = name()
    const { client: keeper } = await arrive(house, id)
    await keeper.subscribe('acme/attic/w', 1)
    await keeper.disconnect()
    await house.gateway.drain()
    await house.gateway.resume()
    const { client: back } = await arrive(house, id)
    expect(textOf(await back.message())).toBe('after')
  })

  it('is said when the gateway drains', async () => {
    const id = name()
    const { client: keeper } = await arrive(house, id)
    await keeper.subscribe(['acme/hall/w', 'acme/attic/w'], 1)
    await arrive(house, name(), will('acme/hall/w', 'hall'))
    await arrive(house, name(), will('acme/attic/w', 'attic'))
    await house.gateway.drain()
    await house.gateway.resume()
    const { client: back } = await arrive(house, id)
    const heard = [textOf(await back.message()), textOf(await back.message())]
    expect(heard.sort()).toEqual(['attic', 'hall'])
  })

  it('is heard by its own session, if that is away and wants its own', async () => {
    const id = name()
    const { client } = await arrive(house, id, will('acme/hall/own', 'mine'))
    await client.subscribe(
      [
        { topic: 'acme/hall/own', qos: 1 },
        { topic: 'acme/hall/not', qos: 1, nl: true },
      ],
      1,
    )
    client.reset()
    const { client: back } = await arrive(house, id, will('acme/hall/not', 'not mine'))
    expect(textOf(await back.message())).toBe('mine')
    back.reset()
    const { client: last } = await arrive(house, id)
    expect(await last.settled()).toEqual([])
  })
})

describe('a will that may not be said', () => {
  it.each([
    ['a room without rights', 'acme/cellar', 0x87],
    ['a room of another account', 'rival/yard', 0x87],
    ['a room that is not there', 'acme/nowhere', 0x87],
    ['a reserved topic', '$porthouse/v1/command', 0x90],
    ['a topic that is no room', 'nothing', 0x90],
  ])('refuses CONNECT: %s', async (_, topic, reason) => {
    const { connack } = await arrive(house, name(), will(topic, 'no'))
    expect(connack.reasonCode).toBe(reason)
    const { connack: old } = await arrive(house, name(), { version: 4, ...will(topic, 'no') })
    expect(old.returnCode).toBe(5)
  })

  it('refuses CONNECT where it is not the UTF-8 that it says', async () => {
    const properties = { payloadFormatIndicator: true }
    const bad = will('acme/hall', '', { properties, payload: Buffer.from([0xff]) })
    expect((await arrive(house, name(), bad)).connack.reasonCode).toBe(0x99)
  })

  it('is dropped in limbo', async () => {
    const client = await MqttClient.open(house.gateway.mqttPort, { version: 5 })
    const { reasonCode } = await client.connect(will('acme/hall', 'nobody says this'))
    expect(reasonCode).toBe(0)
    const listener = await hearer()
    client.reset()
    await client.ended
    expect(await listener.settled()).toEqual([])
  })

  it('is not said where the right is gone by then (A5)', async () => {
    const token = await house.gateway.token('acme', ['hall'])
    const { tokens } = house.gateway.store
    const all = await tokens.list('acme')
    const { id } = all.at(-1)!
    const listener = await hearer()
    const { client } = await arrive({ ...house, token }, name(), {
      ...will('acme/hall', 'not any more', { delay: 1 }),
    })
    client.reset()
    await tokens.change(id, {
      grants: [{ room: 'hall', send: false, receive: true, admit: false, channels: [] }],
    })
    const other = await arrive(house, name(), will('acme/hall', 'mine', { delay: 2 }))
    other.client.reset()
    expect(textOf(await listener.message())).toBe('mine')
  })

  it('goes with its token', async () => {
    const token = await house.gateway.token('acme', ['hall'])
    const { tokens } = house.gateway.store
    const { id } = (await tokens.list('acme')).at(-1)!
    const listener = await hearer()
    const { client } = await arrive({ ...house, token }, name(), will('acme/hall', 'revoked'))
    await tokens.delete(id)
    const { reasonCode } = await client.next('disconnect')
    expect(reasonCode).toBe(codeInfo(Code.REVOKED).mqttReason)
    await client.ended
    const other = await arrive(house, name(), will('acme/hall', 'mine'))
    other.client.reset()
    expect(textOf(await listener.message())).toBe('mine')
    expect(await listener.settled()).toEqual([])
  })
})
