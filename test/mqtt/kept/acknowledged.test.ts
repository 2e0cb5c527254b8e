/**
 * What is acknowledged is kept for those who are away, and not only about to be: of a room that
 * stores nothing, too. Who is there waits for no store.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { type Store, StoreError } from '../../../gateway/store/store.ts'
import { type MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { arrive, type House, startHouse, textOf } from './house.ts'

const UNCERTAIN = 0x80
const GIVEN_UP = 0x83
const KEY = 'porthouse-key'

let base: House
let house: House
/** What the queue does with what is added, and with PUBREC; and the store with who leaves. */
let add: (write: () => Promise<unknown>) => Promise<unknown>
let release: typeof add
let leave: typeof add
/** It was read who is away. */
let reread: () => void

/** A store whose queue of kept messages can be stopped, and can fail. */
function watched(store: Store): Store {
  const { queue } = store.mqttSessions
  const stopped = new Proxy(queue, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as (...given: unknown[]) => Promise<unknown>
      return (...given: unknown[]) => {
        const ask = () => value.apply(target, given)
        return name === 'add' ? add(ask) : name === 'release' ? release(ask) : ask()
      }
    },
  })
  const { subscriptions } = store.mqttSessions
  const told = new Proxy(subscriptions, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as (...given: unknown[]) => Promise<unknown>
      if (name !== 'inRooms') return value.bind(target)
      return (...given: unknown[]) => value.apply(target, given).finally(reread)
    },
  })
  const sessions = new Proxy(store.mqttSessions, {
    get(target, name) {
      if (name === 'queue') return stopped
      if (name === 'subscriptions') return told
      const value = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      const ask = value.bind(target)
      return name === 'leave' ? (...given: unknown[]) => leave(() => ask(...given)) : ask
    },
  })
  return new Proxy(store, {
    get: (target, name) => (name === 'mqttSessions' ? sessions : Reflect.get(target, name, target)),
  })
}

beforeAll(async () => {
  base = await startHouse({ features: ['websocket'] })
  const history = { waitMs: 300 }
  const gateway = await base.gateway.beside({ history }, watched(base.gateway.store))
  house = { ...base, gateway }
})
beforeEach(() => {
  add = (write) => write()
  release = add
  leave = add
  reread = () => {}
})
afterEach(resetMqttClients)
afterAll(async () => {
  await house.gateway.stop()
  await base.gateway.stop()
})

/** One that is away, and has subscribed to this. */
async function away(clientId: string, filter: string): Promise<() => Promise<MqttClient>> {
  const { client } = await arrive(house, clientId)
  await client.subscribe(filter, 2)
  await client.disconnect()
  return async () => (await arrive(house, clientId)).client
}

const other = (clientId: string, version: 4 | 5 = 5) =>
  arrive({ ...house, token: house.other }, clientId, { version, expiry: 0, clean: true })

it.each([1, 2] as const)('answers QoS %i when it is stored, and is heard before', async (qos) => {
  const comeBack = await away(`stored-${qos}`, `acme/hall/stored-${qos}`)
  const { client: there } = await other('there')
  await there.subscribe(`acme/hall/stored-${qos}`, 1)
  const gate = Promise.withResolvers<void>()
  add = (write) => gate.promise.then(write)
  const { client: sender } = await other('sender')
  sender.sendPublish(`acme/hall/stored-${qos}`, 'one', { qos })
  expect(textOf(await there.message())).toBe('one')
  expect(await sender.settled()).toEqual([])
  gate.resolve()
  const acknowledged = await sender.next(qos === 1 ? 'puback' : 'pubrec')
  expect(acknowledged.reasonCode ?? 0).toBe(0)
  expect(textOf(await (await comeBack()).message())).toBe('one')
})

it('answers in order, though what nobody misses need not wait', async () => {
  await away('in order', 'acme/hall/missed')
  const { client: there } = await other('there')
  await there.subscribe('acme/hall/#', 1)
  const gate = Promise.withResolvers<void>()
  add = (write) => gate.promise.then(write)
  const { client: sender } = await other('sender')
  const ids = ['missed', 'heard', 'missed', 'heard'].map((channel, i) =>
    sender.sendPublish(`acme/hall/${channel}`, `${i}`, { qos: 1 }),
  )
  const heard: string[] = []
  while (heard.length < 4) heard.push(textOf(await there.message()))
  expect(heard).toEqual(['0', '1', '2', '3'])
  expect(await sender.settled()).toEqual([])
  gate.resolve()
  const acknowledged: (number | undefined)[] = []
  while (acknowledged.length < 4) acknowledged.push((await sender.next('puback')).messageId)
  expect(acknowledged).toEqual(ids)
})

it('says that it is uncertain where the store does not answer, and has it once', async () => {
  const comeBack = await away('uncertain', 'acme/hall/uncertain')
  let isAway = true
  add = (write) => (isAway ? Promise.reject(new StoreError('unavailable', 'away')) : write())
  const { client: sender } = await other('sender')
  const publish = (key: string) => {
    const properties = { userProperties: { [KEY]: key } }
    return sender.publish('acme/hall/uncertain', key, { qos: 1, properties })
  }
  expect(await publish('first')).toBe(UNCERTAIN)
  // Under the same key it is the same, and is waited for anew.
  expect(await publish('first')).toBe(UNCERTAIN)
  isAway = false
  expect(await publish('first')).toBe(0)
  expect(await publish('last')).toBe(0)
  const back = await comeBack()
  expect([textOf(await back.message()), textOf(await back.message())]).toEqual(['first', 'last'])
})

it('closes a connection of 3.1.1, which sends it again', async () => {
  const comeBack = await away('3.1.1', 'acme/hall/again')
  let isAway = true
  add = (write) => (isAway ? Promise.reject(new StoreError('unavailable', 'away')) : write())
  const { client: sender } = await other('sender', 4)
  sender.sendPublish('acme/hall/again', 'one', { qos: 1 })
  expect(await sender.rest()).toEqual([])
  isAway = false
  const { client: again } = await other('sender', 4)
  expect(await again.publish('acme/hall/again', 'one', { qos: 1, dup: true })).toBe(0)
  expect(textOf(await (await comeBack()).message())).toBe('one')
})

it('does not acknowledge what can never be stored', async () => {
  await away('given up', 'acme/hall/never')
  add = () => Promise.reject(new StoreError('invalid', 'not to be kept', undefined, true))
  const { client: sender } = await other('sender')
  expect(await sender.publish('acme/hall/never', 'one', { qos: 1 })).toBe(GIVEN_UP)
  add = (write) => write()
  expect(await sender.publish('acme/hall/never', 'one', { qos: 1 })).toBe(0)
})

it('needs no store for QoS 0, nor once nobody is away any more', async () => {
  const comeBack = await away('zero', 'acme/hall/zero')
  const gate = Promise.withResolvers<void>()
  add = (write) => gate.promise.then(write)
  const { client: sender } = await other('sender')
  sender.sendPublish('acme/hall/zero', 'zero')
  expect(await sender.publish('acme/hall/other', 'other', { qos: 1 })).toBe(0x10)
  const back = await comeBack()
  expect(await sender.publish('acme/hall/zero', 'one', { qos: 1 })).toBe(0)
  expect(textOf(await back.message())).toBe('one')
  gate.resolve()
})

it('keeps for who has just left, whatever tokens come and go meanwhile', async () => {
  const gate = Promise.withResolvers<void>()
  leave = (write) => gate.promise.then(write)
  // Who is there keeps the room loaded.
  const { client: there } = await other('there')
  await there.subscribe('acme/hall/#', 1)
  const comeBack = await away('leaving', 'acme/hall/leaving')
  // A change of tokens has it read who is away, and the store does not know of this one yet.
  const read = new Promise<void>((resolve) => {
    reread = resolve
  })
  await base.gateway.token('acme', ['hall'])
  await read
  const { client: sender } = await other('sender')
  expect(await sender.publish('acme/hall/leaving', 'one', { qos: 1 })).toBe(0)
  gate.resolve()
  expect(textOf(await (await comeBack()).message())).toBe('one')
})

it('takes a PUBCOMP that comes before its PUBREC is stored', async () => {
  const comeBack = await away('quick', 'acme/hall/quick')
  const { client: sender } = await other('sender')
  for (const text of ['one', 'two']) await sender.publish('acme/hall/quick', text, { qos: 2 })
  const gate = Promise.withResolvers<void>()
  release = (write) => gate.promise.then(write)
  const back = await comeBack()
  expect(textOf(await back.message())).toBe('one')
  expect(textOf(await back.message())).toBe('two')
  expect(await back.settled()).toEqual([])
  gate.resolve()
  await sender.publish('acme/hall/quick', 'three', { qos: 1 })
  expect(textOf(await back.message())).toBe('three')
  expect(await back.settled()).toEqual([])
  await back.disconnect()
  const again = await comeBack()
  expect(await again.settled()).toEqual([])
})
