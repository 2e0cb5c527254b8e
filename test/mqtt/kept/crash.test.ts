/** A gateway that ends without a word: what was acknowledged is not lost, and wills are said. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Store, StoreError } from '../../../gateway/store/store.ts'
import type { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { arrive, type House, startHouse, textOf } from './house.ts'

let house: House
const others: (() => Promise<void>)[] = []

beforeAll(async () => {
  // It serves no MQTT itself, and looks after no session.
  house = await startHouse({ features: ['websocket'] })
})
afterEach(async () => {
  resetMqttClients()
  for (const stop of others.splice(0)) await stop()
})
afterAll(() => house.gateway.stop())

/** A store that one gateway can be cut off from, as by its death. */
function mortal(store: Store): { readonly store: Store; die(): void; bury(): void } {
  const buried = Promise.withResolvers<never>()
  buried.promise.catch(() => undefined)
  let isDead = false
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, name) {
        const value = Reflect.get(target, name, target)
        if (typeof value === 'object' && value !== null) return wrap(value)
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => (isDead ? buried.promise : value.apply(target, given))
      },
    })
  return {
    store: wrap(store),
    die: () => {
      isDead = true
    },
    bury: () => buried.reject(new StoreError('missing', 'the gateway is dead', undefined, true)),
  }
}

async function start(store?: Store): Promise<House> {
  const gateway = await house.gateway.beside({}, store)
  others.push(() => gateway.stop())
  return { ...house, gateway }
}

async function startMortal(): Promise<{ readonly at: House; die(): void }> {
  const { store, die, bury } = mortal(house.gateway.store)
  const at = await start(store)
  const stop = others.pop()
  others.push(async () => {
    bury()
    await stop?.()
  })
  return { at, die }
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function positionOf({ store }: TestGateway, topic: string): Promise<number> {
  const { id } = (await store.tokens.list('acme'))[0]!
  const sessions = await store.mqttSessions.list(`token:${id}`, 10)
  for (const { key } of sessions) {
    const found = (await store.mqttSessions.subscriptions.list(key)).find(
      (each) => each.topic === topic,
    )
    if (found) return found.position?.sequence ?? -1
  }
  return -1
}

it('repeats what was not acknowledged when it died, and nothing from before', async () => {
  const { at, die } = await startMortal()
  const { client } = await arrive(at, 'device')
  await client.subscribe('acme/attic/x', 1)
  const { client: sender } = await arrive({ ...at, token: at.other }, 'sender', { expiry: 0 })
  for (let i = 0; i < 20; i++) await sender.publish('acme/attic/x', `old ${i}`, { qos: 1 })
  for (let i = 0; i < 20; i++) await client.message()
  await until(async () => (await positionOf(at.gateway, 'acme/attic/x')) >= 20)
  const texts = Array.from({ length: 5 }, (_, i) => `new ${i}`)
  for (const text of texts) await sender.publish('acme/attic/x', text, { qos: 1 })
  for (let i = 0; i < 5; i++) await client.next('publish')
  die()
  client.reset()
  const next = await start()
  const back = await arrive(next, 'device')
  expect(back.present).toBe(true)
  const heard: string[] = []
  for (let i = 0; i < 5; i++) heard.push(textOf(await back.client.message()))
  expect(heard).toEqual(texts)
  expect(await back.client.settled()).toEqual([])
})

it('loses nothing that was sent while its client was away', async () => {
  const { at, die } = await startMortal()
  const { client } = await arrive(at, 'away')
  await client.subscribe(['acme/attic/y', 'acme/hall/y'], 1)
  await client.disconnect()
  const { client: sender } = await arrive({ ...at, token: at.other }, 'sender', { expiry: 0 })
  await sender.publish('acme/hall/y', 'hall', { qos: 1 })
  await sender.publish('acme/attic/y', 'attic', { qos: 1 })
  // Where rooms store nothing themselves, it is there within moments.
  const { mqttSessions } = house.gateway.store
  const { id } = (await house.gateway.store.tokens.list('acme'))[0]!
  await until(async () => {
    const sessions = await mqttSessions.list(`token:${id}`, 10)
    return sessions.some(({ clientId, queued }) => clientId === 'away' && queued.messages === 1)
  })
  die()
  const { client: back } = await arrive(await start(), 'away')
  const heard = [textOf(await back.message()), textOf(await back.message())]
  expect(heard.sort()).toEqual(['attic', 'hall'])
})

it('ends no subscription because the store was away when it was restored', async () => {
  const first = await start()
  const { client } = await arrive(first, 'patient')
  await client.subscribe(['acme/attic/z', 'acme/hall/z'], 1)
  await client.disconnect()
  let isAway = true
  const { store } = house.gateway
  const find: Store['rooms']['find'] = (...names) => {
    if (isAway) return Promise.reject(new StoreError('unavailable', 'away'))
    return store.rooms.find(...names)
  }
  const rooms = new Proxy(store.rooms, {
    get: (target, name) =>
      name === 'find' ? find : Reflect.get(target, name, target).bind(target),
  })
  const proxied = new Proxy(store, {
    get: (target, name) => (name === 'rooms' ? rooms : Reflect.get(target, name, target)),
  })
  const next = await start(proxied)
  const refused = await arrive(next, 'patient')
  expect(refused.connack.reasonCode).toBe(0x88)
  isAway = false
  const back = await arrive(next, 'patient')
  expect(back.present).toBe(true)
  const { client: sender } = await arrive({ ...next, token: next.other }, 'sender', { expiry: 0 })
  await sender.publish('acme/attic/z', 'attic', { qos: 1 })
  await sender.publish('acme/hall/z', 'hall', { qos: 1 })
  expect(textOf(await back.client.message())).toBe('attic')
  expect(textOf(await back.client.message())).toBe('hall')
})

it('has wills of kept sessions said by the next one', async () => {
  const { at, die } = await startMortal()
  const { client: keeper } = await arrive(at, 'heir')
  await keeper.subscribe('acme/attic/w', 1)
  await keeper.disconnect()
  const { client } = await arrive(at, 'testator', {
    will: { topic: 'acme/attic/w', payload: Buffer.from('gone'), qos: 1, retain: false },
  })
  die()
  client.reset()
  const { client: back } = await arrive(await start(), 'heir')
  expect(textOf(await back.message())).toBe('gone')
})
