/**
 * What is relied on of Aedes at its exact version, through the one place where it is built; another
 * version may come when this passes with it (threats.md section 4, S8).
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestBroker, TestHost } from './host.ts'

let world: TestBroker
beforeEach(async () => {
  world = await TestBroker.open()
})
afterEach(() => world.broker.close())

/** Aedes' clients by their ids. */
function clientsOf(host: TestHost): Record<string, unknown> {
  const { broker } = host.port.client as unknown as { broker: { clients: Record<string, unknown> } }
  return broker.clients
}

/** All that Aedes does at once is done. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn()
}

test('Aedes is 1.2.0, and pinned to that', () => {
  const require = createRequire(import.meta.url)
  const root = `${import.meta.dirname}/../../..`
  const gateway = JSON.parse(readFileSync(`${root}/gateway/package.json`, 'utf8'))
  const entry = require.resolve('aedes')
  const installed = JSON.parse(
    readFileSync(`${entry.slice(0, entry.lastIndexOf('/'))}/package.json`, 'utf8'),
  )
  expect(gateway.dependencies.aedes).toBe('1.2.0')
  expect(installed.version).toBe('1.2.0')
})

describe('a session that is taken up', () => {
  test('has its subscriptions before CONNACK, and then what was kept', async () => {
    const first = await world.kept('k')
    await first.listen('acme/hall', 'acme/den/#')
    first.port.close()
    await world.keep('k', { body: Buffer.from('one') }, { body: Buffer.from('two') })
    const second = world.host()
    second.port.send({ cmd: 'connect', clientId: 'k', clean: false })
    const [one, two] = [await second.publish(), await second.publish()]
    expect([one.payload, two.payload].map(String)).toEqual(['one', 'two'])
    expect(second.course).toEqual([
      'restore acme/den/# 1',
      'restore acme/hall 1',
      'connack',
      'publish',
      'publish',
    ])
    expect(one).toMatchObject({ topic: 'acme/hall', qos: 1, dup: false, retain: false })
    expect(two.messageId).not.toBe(one.messageId)
  })

  test('waits for its subscriptions to be granted', async () => {
    const first = await world.kept('k')
    await first.listen('acme/hall')
    first.port.close()
    const second = world.host()
    const { promise, resolve } = Promise.withResolvers<void>()
    second.gate = promise
    second.port.send({ cmd: 'connect', clientId: 'k', clean: false })
    await settled()
    expect(second.course).toEqual(['restore acme/hall 1'])
    resolve()
    await second.next('connack')
  })

  test('loses what it may not have any more', async () => {
    const first = await world.kept('k')
    await first.listen('acme/hall', 'acme/den')
    first.port.close()
    const second = await world.kept('k', (host) => {
      host.refused = ['acme/den']
    })
    expect((await world.subscriptions('k')).map(({ topic }) => topic)).toEqual(['acme/hall'])
    second.port.close()
  })

  test('is not taken up where it cannot be said what it may have', async () => {
    const first = await world.kept('k')
    await first.listen('acme/hall')
    first.port.close()
    const second = world.host()
    second.failure = new Error('the room is away')
    second.port.send({ cmd: 'connect', clientId: 'k', clean: false })
    expect(await second.untilReleased()).toBe(second.failure)
    expect(second.course).toEqual(['restore acme/hall 1'])
    expect(await world.subscriptions('k')).toHaveLength(1)
  })

  test('is not taken up where the store is away', async () => {
    await world.session('k')
    const host = world.host()
    world.store.away = true
    host.port.send({ cmd: 'connect', clientId: 'k', clean: false })
    expect(await host.untilReleased()).toMatchObject({ failure: 'unavailable' })
    expect(host.course).toEqual([])
    world.store.away = false
  })
})

describe('what was kept', () => {
  test('is acknowledged by its number, and then gone', async () => {
    await world.session('k')
    await world.keep('k', {}, {})
    const host = await world.kept('k')
    const { messageId } = await host.publish()
    host.port.send({ cmd: 'puback', messageId: messageId! })
    await settled()
    expect(await world.queue('k')).toHaveLength(1)
  })

  test('comes again under its number where it was not acknowledged [MQTT-4.4.0-1]', async () => {
    await world.session('k')
    await world.keep('k', {})
    const first = await world.kept('k')
    const { messageId, dup } = await first.publish()
    expect(dup).toBe(false)
    first.port.close()
    const second = await world.kept('k')
    expect(await second.publish()).toMatchObject({ messageId, dup: true })
  })

  test('of QoS 2 is released once, however often its client goes', async () => {
    await world.session('k')
    await world.keep('k', { qos: 2 })
    const first = await world.kept('k')
    const { messageId } = await first.publish()
    first.port.send({ cmd: 'pubrec', messageId: messageId! })
    await first.next('pubrel')
    first.port.close()
    const second = await world.kept('k')
    expect(await second.next('pubrel')).toMatchObject({ messageId })
    second.port.send({ cmd: 'pubcomp', messageId: messageId! })
    await settled()
    expect(await world.queue('k')).toEqual([])
    expect(second.packets).toEqual([])
  })

  test('is not delivered to whom it was taken from meanwhile, nor kept (A8)', async () => {
    await world.session('k')
    await world.keep('k', { topic: 'acme/den' }, { topic: 'acme/hall' })
    const host = await world.kept('k', (each) => {
      each.deaf = ['acme/den']
    })
    expect(await host.publish()).toMatchObject({ topic: 'acme/hall' })
    await settled()
    expect((await world.queue('k')).map(({ topic }) => topic)).toEqual(['acme/hall'])
  })

  test('is all delivered, in order, however much it is', async () => {
    await world.session('k')
    const texts = Array.from({ length: 350 }, (_, i) => `message ${i}`)
    await world.keep('k', ...texts.map((text) => ({ body: Buffer.from(text) })))
    const host = await world.kept('k')
    for (const text of texts) expect(String((await host.publish()).payload)).toBe(text)
  })

  test('is text where it was text', async () => {
    await world.session('k')
    await world.keep('k', { body: Buffer.from('grüß'), text: true })
    const host = await world.kept('k')
    expect(String((await host.publish()).payload)).toBe('grüß')
  })
})

describe('subscribing', () => {
  test('is answered when all of it was decided', async () => {
    const host = world.host()
    await host.connect('c')
    const { promise, resolve } = Promise.withResolvers<void>()
    host.gate = promise
    const answered = host.listen('acme/hall', 'acme/den')
    await settled()
    expect(host.packets).toEqual([])
    resolve()
    expect(await answered).toEqual([1, 1])
  })

  test('may follow CONNACK at once, while what was kept is on its way', async () => {
    await world.session('k')
    await world.keep('k', ...Array.from({ length: 200 }, () => ({})))
    const host = world.host()
    host.once('packet', () => {
      for (let messageId = 1; messageId <= 300; messageId++) {
        const subscriptions = [{ topic: `acme/hall/${messageId}`, qos: 1 as const }]
        host.port.send({ cmd: 'subscribe', messageId, subscriptions })
      }
    })
    host.port.send({ cmd: 'connect', clientId: 'k', clean: false })
    for (let i = 0; i < 300; i++) await host.next('suback')
    expect(host.course.filter((line) => line.startsWith('restore'))).toEqual([])
    expect(await world.subscriptions('k')).toHaveLength(300)
  })

  test('stores nothing that was refused, nor what is not decided (A1)', async () => {
    const host = await world.kept('k')
    host.refused = ['acme/secret', '#', '$SYS/#']
    const topics = ['acme/hall', 'acme/secret', '#', 'acme/den', '$SYS/#']
    expect(await host.listen(...topics)).toEqual([1, 128, 128, 1, 128])
    const stored = await world.subscriptions('k')
    expect(stored.map(({ topic }) => topic)).toEqual(['acme/den', 'acme/hall'])
  })

  test('refuses where it cannot be decided, and goes on (A18)', async () => {
    const host = await world.kept('k')
    host.failure = new Error('away')
    expect(await host.listen('acme/hall')).toEqual([128])
    expect(await world.subscriptions('k')).toEqual([])
    host.failure = undefined
    expect(await host.listen('acme/hall')).toEqual([1])
  })

  test('takes names of the language, wildcards anywhere and 200 levels for names', async () => {
    const host = await world.kept('k')
    const topics = ['__proto__', 'constructor', 'a#', 'a+/b', '#/a', `a${'/a'.repeat(199)}`, '%2F']
    expect(await host.listen(...topics)).toEqual(topics.map(() => 1))
    host.port.close()
    const again = await world.kept('k')
    const restored = again.course.slice(0, -1).map((line) => line.split(' ')[1])
    expect(restored.toSorted()).toEqual(topics.toSorted())
  })

  test('ends with UNSUBSCRIBE', async () => {
    const host = await world.kept('k')
    await host.listen('acme/hall', 'acme/den')
    const unsubscriptions = ['acme/hall', 'acme/unknown']
    host.port.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions })
    await host.next('unsuback')
    expect((await world.subscriptions('k')).map(({ topic }) => topic)).toEqual(['acme/den'])
  })

  test('to # hears nothing of Aedes, live or retained (A2)', async () => {
    const listening = world.host()
    await listening.connect('a')
    await listening.listen('#', '+/+', '$SYS/#', '$session/#')
    const other = world.host()
    await other.connect('b')
    await other.listen('acme/hall')
    other.port.close()
    await settled()
    expect(listening.packets).toEqual([])
  })
})

describe('a client', () => {
  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'is named %s',
    async (id) => {
      const host = await world.kept(id)
      await host.listen('acme/hall')
      host.port.close()
      const next = world.host()
      await next.connect(id, false)
      expect(next.course).toEqual(['restore acme/hall 1', 'connack'])
      expect(Object.keys(clientsOf(next))).toEqual([id])
    },
  )

  test('publishes nothing through Aedes, least of all to $SYS (A4)', async () => {
    const [host, other] = [world.host(), world.host()]
    await host.connect('a')
    await other.connect('b')
    const topic = '$SYS/x/new/clients'
    const publish = { cmd: 'publish', topic, payload: 'b', qos: 0, dup: false, retain: false }
    const read = host.port.read.bind(host.port)
    host.port.read = () => {
      host.port.read = read
      return [publish as never]
    }
    host.port.send({ cmd: 'pingreq' })
    expect(await host.untilReleased()).toBeInstanceOf(Error)
    other.port.send({ cmd: 'pingreq' })
    await other.next('pingresp')
  })

  test('that comes again has the session, and the older one is let go (A13)', async () => {
    const older = await world.kept('k')
    const newer = await world.kept('k')
    expect(await older.untilReleased()).toBeUndefined()
    newer.port.send({ cmd: 'pingreq' })
    await newer.next('pingresp')
    expect(clientsOf(newer)).toEqual({ k: newer.port.client })
    older.port.send({ cmd: 'pingreq' })
    await settled()
    expect(older.packets).toEqual([])
  })

  test('that comes many times at once has it once (A14)', async () => {
    await world.session('k')
    const hosts = Array.from({ length: 50 }, () => world.host())
    for (const [i, host] of hosts.entries()) {
      host.port.send({ cmd: 'connect', clientId: 'k', clean: false })
      if (i % 3 === 0) host.port.close()
      if (i % 7 === 0) await turn()
    }
    await settled()
    const left = hosts.filter((host, i) => i % 3 !== 0 && !host.released_)
    expect(left).toHaveLength(1)
    expect(clientsOf(left[0]!)).toEqual({ k: left[0]!.port.client })
    left[0]!.port.send({ cmd: 'pingreq' })
    await left[0]!.next('pingresp')
  })

  test('that is gone before it is there leaves nothing and takes nothing', async () => {
    const live = await world.kept('k')
    const open = world.store.hold()
    const gone = world.host()
    gone.port.send({ cmd: 'connect', clientId: 'k', clean: false })
    const strange = world.host()
    strange.port.send({ cmd: 'connect', clientId: 'other', clean: false })
    await settled()
    gone.port.close()
    strange.port.close()
    expect(clientsOf(live)).toEqual({ k: live.port.client })
    open()
    await settled()
    expect(Object.keys(clientsOf(live))).not.toContain('other')
    expect(gone.course).toEqual([])
  })

  test('whose session is not kept asks nothing of the store', async () => {
    world.store.away = true
    const host = world.host()
    await host.connect('c')
    expect(await host.listen('acme/hall')).toEqual([1])
    host.port.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['acme/hall'] })
    await host.next('unsuback')
    host.port.send({ cmd: 'pingreq' })
    await host.next('pingresp')
    host.port.close()
    expect(host.released_).toBeUndefined()
    world.store.away = false
  })

  test('that answers nothing holds up nobody (L2)', async () => {
    await world.session('frozen')
    await world.keep('frozen', ...Array.from({ length: 500 }, () => ({ qos: 2 as const })))
    const frozen = await world.kept('frozen')
    const { promise } = Promise.withResolvers<void>()
    frozen.gate = promise
    const subscriptions = [{ topic: 'acme/hall', qos: 1 as const }]
    for (let i = 1; i <= 100; i++) {
      frozen.port.send({ cmd: 'subscribe', messageId: i, subscriptions })
    }
    const host = await world.kept('k')
    expect(await host.listen('acme/hall')).toEqual([1])
    frozen.port.close()
  })
})

test('a broker that closes lets go of all', async () => {
  const hosts = await Promise.all(['a', 'b', 'c'].map((key) => world.kept(key)))
  await world.broker.close()
  for (const host of hosts) expect(await host.untilReleased()).toBeUndefined()
})

test('a client that is there costs little (G10)', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const connect = async (count: number) => {
    const hosts = Array.from({ length: count }, () => world.host())
    await Promise.all(hosts.map((host, i) => host.connect(`${count} ${i}`)))
    return hosts
  }
  const used = async () => {
    await settled()
    collect()
    return process.memoryUsage().heapUsed
  }
  const early = await connect(200)
  const before = await used()
  const bare = Array.from({ length: 2_000 }, () => new TestHost())
  const hosts = (await used()) - before
  const late = await connect(2_000)
  const each = ((await used()) - before - 2 * hosts) / 2_000
  process.stdout.write(`a client of Aedes and its port: ${Math.round(each)} bytes\n`)
  expect(each).toBeLessThan(3_000)
  expect(early.length + bare.length + late.length).toBe(4_200)
})
