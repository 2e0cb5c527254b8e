/** Sessions that outlive their connections: what a client finds when it comes back. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { arrive, type House, startHouse, textOf } from './house.ts'

let house: House

beforeAll(async () => {
  house = await startHouse()
})
afterEach(resetMqttClients)
afterAll(() => house.gateway.stop())

let names = 0
const name = () => `device-${++names}`

async function sender(): Promise<MqttClient> {
  const { client } = await arrive(house, name(), { expiry: 0, clean: true })
  return client
}

async function take(client: MqttClient, count: number): Promise<string[]> {
  const heard: string[] = []
  for (let i = 0; i < count; i++) heard.push(textOf(await client.message()))
  return heard
}

// First, while nobody has left a session here.
it('is not looked for in a store that has none', async () => {
  const find = vi.spyOn(house.gateway.store.mqttSessions, 'find')
  const id = name()
  const visitor = await arrive(house, id, { expiry: 0, clean: true })
  await visitor.client.disconnect()
  const { client } = await arrive(house, id)
  expect(find).not.toHaveBeenCalled()
  await client.disconnect()
  expect((await arrive(house, id)).present).toBe(true)
  expect(find).toHaveBeenCalledOnce()
  find.mockRestore()
})

describe.each(['acme/hall', 'acme/attic'])('of a room such as %s', (room) => {
  it('keeps what comes while its client is away, in order, once', async () => {
    const id = name()
    const first = await arrive(house, id)
    expect(first.present).toBe(false)
    await first.client.subscribe(`${room}/#`, 1)
    await first.client.disconnect()
    const other = await sender()
    for (let i = 0; i < 50; i++) await other.publish(`${room}/a`, `${i}`, { qos: 1 })
    const { client, present } = await arrive(house, id)
    expect(present).toBe(true)
    expect(await take(client, 50)).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`))
    await other.publish(`${room}/a`, 'live', { qos: 1 })
    expect(textOf(await client.message())).toBe('live')
    expect(await client.settled()).toEqual([])
  })

  it('sends again what was not acknowledged, with DUP and the same packet id', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe(room, 2)
    const other = await sender()
    await other.publish(room, 'one', { qos: 1 })
    await other.publish(room, 'two', { qos: 2 })
    const sent = [await client.next('publish'), await client.next('publish')]
    expect(sent.map(({ dup }) => dup)).toEqual([false, false])
    client.reset()
    const back = await arrive(house, id)
    const again = [await back.client.next('publish'), await back.client.next('publish')]
    expect(again.map(({ dup }) => dup)).toEqual([true, true])
    expect(again.map(({ messageId }) => messageId)).toEqual(sent.map(({ messageId }) => messageId))
    expect(again.map(textOf)).toEqual(['one', 'two'])
    back.client.reset()
    const third = await arrive(house, id)
    const once = [await third.client.message(), await third.client.message()]
    expect(once.map(({ messageId }) => messageId)).toEqual(sent.map(({ messageId }) => messageId))
    await third.client.disconnect()
    const { client: last } = await arrive(house, id)
    expect(await last.settled()).toEqual([])
  })

  it('goes on with a PUBREL that is owed', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe(room, 2)
    const other = await sender()
    await other.publish(room, 'two', { qos: 2 })
    const { messageId = 0 } = await client.next('publish')
    client.send({ cmd: 'pubrec', messageId })
    await client.next('pubrel')
    client.reset()
    const back = await arrive(house, id)
    expect(await back.client.next()).toMatchObject({ cmd: 'pubrel', messageId })
    back.client.send({ cmd: 'pubcomp', messageId })
    expect(await back.client.settled()).toEqual([])
    await back.client.disconnect()
    const { client: last } = await arrive(house, id)
    expect(await last.settled()).toEqual([])
  })

  it('loses nothing of it to a client that comes and goes at once', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe(room, 1)
    await client.disconnect()
    const other = await sender()
    const texts = Array.from({ length: 60 }, (_, i) => `${i}`)
    for (const text of texts) await other.publish(room, text, { qos: 1 })
    for (let i = 0; i < 5; i++) {
      const back = await arrive(house, id)
      if (i % 2 === 0) await back.client.disconnect()
      else back.client.reset()
    }
    const { client: last } = await arrive(house, id)
    expect(await take(last, 60)).toEqual(texts)
    expect(await last.settled()).toEqual([])
  })

  it('survives a restart of the gateway, with what was sent before and after', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe(room, 1)
    await client.disconnect()
    const before = await sender()
    await before.publish(room, 'before', { qos: 1 })
    await house.gateway.drain()
    await house.gateway.resume()
    const after = await sender()
    expect(await after.publish(room, 'after', { qos: 1 })).toBe(0)
    const back = await arrive(house, id)
    expect(back.present).toBe(true)
    expect(await take(back.client, 2)).toEqual(['before', 'after'])
    expect(await back.client.settled()).toEqual([])
  })

  it('keeps a live session when the gateway drains', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe(room, 1)
    const other = await sender()
    await other.publish(room, 'open', { qos: 1 })
    const { messageId } = await client.next('publish')
    await house.gateway.drain()
    await house.gateway.resume()
    const back = await arrive(house, id)
    expect(await back.client.message()).toMatchObject({ dup: true, messageId })
    expect(await back.client.settled()).toEqual([])
  })

  it('gives each message once where subscriptions overlap', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe([`${room}/#`, `${room}/a`, `${room}/+`], 1)
    await client.disconnect()
    const other = await sender()
    for (const text of ['1', '2', '3']) await other.publish(`${room}/a`, text, { qos: 1 })
    const { client: back } = await arrive(house, id)
    expect(await take(back, 3)).toEqual(['1', '2', '3'])
    expect(await back.settled()).toEqual([])
  })

  it('keeps nothing of QoS 0', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe(`${room}/zero`, 0)
    await client.subscribe(`${room}/one`, 1)
    await client.disconnect()
    const other = await sender()
    await other.publish(`${room}/zero`, 'lost', { qos: 1 })
    await other.publish(`${room}/one`, 'kept', { qos: 1 })
    const { client: back } = await arrive(house, id)
    expect(await take(back, 1)).toEqual(['kept'])
    expect(await back.settled()).toEqual([])
  })

  it('ends by a clean start', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe(room, 1)
    await client.disconnect()
    const other = await sender()
    await other.publish(room, 'for nobody', { qos: 1 })
    const clean = await arrive(house, id, { clean: true })
    expect(clean.present).toBe(false)
    expect(await clean.client.settled()).toEqual([])
    await other.publish(room, 'nor this', { qos: 1 })
    expect(await clean.client.settled()).toEqual([])
  })

  it('is not delivered past its expiry, and says what is left of it', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe(room, 1)
    await client.disconnect()
    const other = await sender()
    const brief = { qos: 1, properties: { messageExpiryInterval: 1 } } as const
    await other.publish(room, 'brief', brief)
    await other.publish(room, 'long', { qos: 1, properties: { messageExpiryInterval: 1000 } })
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const { client: back } = await arrive(house, id)
    const message = await back.message()
    expect(textOf(message)).toBe('long')
    expect(message.properties?.messageExpiryInterval).toBeLessThan(1000)
    expect(await back.settled()).toEqual([])
  })

  it('tells its publisher that it is kept, not that nobody hears it', async () => {
    const id = name()
    const topic = `${room}/only-${id}`
    const { client } = await arrive(house, id)
    await client.subscribe(topic, 1)
    await client.disconnect()
    const other = await sender()
    expect(await other.publish(topic, 'kept', { qos: 1 })).toBe(0)
  })
})

describe('a session', () => {
  it('is each its own, though their clients share the id', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe('acme/hall', 1)
    await client.disconnect()
    const { present } = await arrive({ ...house, token: house.other }, id)
    expect(present).toBe(false)
  })

  it('is 3.1.1 or 5, and goes on as the other', async () => {
    const id = name()
    const { client } = await arrive(house, id, { version: 4 })
    await client.subscribe('acme/hall', 1)
    await client.disconnect()
    const other = await sender()
    const properties = { contentType: 'text/plain', userProperties: { a: 'b' } }
    await other.publish('acme/hall', 'hello', { qos: 1, properties })
    const back = await arrive(house, id)
    expect(back.present).toBe(true)
    expect(await back.client.message()).toMatchObject({ topic: 'acme/hall', properties })
  })

  it('ends as long after its connection as DISCONNECT says', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe('acme/hall', 1)
    client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } })
    await client.ended
    expect((await arrive(house, id)).present).toBe(false)
  })

  it('ends when its time is over', async () => {
    const id = name()
    const { client } = await arrive(house, id, { expiry: 1 })
    await client.subscribe('acme/hall', 1)
    await client.disconnect()
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect((await arrive(house, id)).present).toBe(false)
  })

  it('gives back a QoS 2 that was not released, and takes it once', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe('acme/hall', 1)
    client.send({
      cmd: 'publish',
      topic: 'acme/hall',
      payload: 'once',
      qos: 2,
      messageId: 77,
      dup: false,
      retain: false,
    })
    await client.next('pubrec')
    await client.message()
    client.reset()
    const { client: back } = await arrive(house, id)
    back.send({
      cmd: 'publish',
      topic: 'acme/hall',
      payload: 'once',
      qos: 2,
      messageId: 77,
      dup: true,
      retain: false,
    })
    expect(await back.next('pubrec')).toMatchObject({ messageId: 77 })
    back.send({ cmd: 'pubrel', messageId: 77 })
    expect(await back.next('pubcomp')).toMatchObject({ reasonCode: 0 })
    expect(await back.settled()).toEqual([])
  })

  it('is taken over, and what was not acknowledged goes along', async () => {
    const id = name()
    const { client } = await arrive(house, id)
    await client.subscribe('acme/hall', 1)
    const other = await sender()
    await other.publish('acme/hall', 'open', { qos: 1 })
    await client.next('publish')
    const { client: newer, present } = await arrive(house, id)
    expect(present).toBe(true)
    expect((await client.next('disconnect')).reasonCode).toBe(0x8e)
    expect(await newer.message()).toMatchObject({ dup: true })
  })
})
