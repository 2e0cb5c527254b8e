/** Enhanced authentication: the locks by AUTH, and proofs that are added later (R12, R13; M19). */
import { randomBytes } from 'node:crypto'
import { create, fromJsonString, toJsonString } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import type { LockStep } from '@porthouse/proto/v1/lock_step'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FrameInit, hello, say } from '../../support/client-frames.ts'
import { prove, randomOf } from '../../support/key-login.ts'
import { type ConnectInit, MqttClient, resetMqttClients } from '../../support/mqtt-client.ts'
import { answerTo } from '../../support/proving.ts'
import {
  auth,
  brief,
  CHALLENGE,
  data,
  type Hub,
  METHOD,
  PASSWORD,
  RESPONSE,
  startHub,
  stepsIn,
} from './hub.ts'

const GATEWAY = 'https://hub.example'
const CONTINUE = 0x18
const ANEW = 0x19

let hub: Hub

beforeAll(async () => {
  hub = await startHub({ http: { publicUrl: GATEWAY } } as never)
}, 60_000)
afterEach(resetMqttClients)
afterAll(() => hub?.gateway.stop())

async function open(): Promise<MqttClient> {
  return MqttClient.open(hub.port, { version: 5 })
}

/** CONNECT with method and first answers; nothing is awaited. */
function begin(client: MqttClient, init: ConnectInit, ...answers: FrameInit[]): void {
  const properties = {
    authenticationMethod: METHOD,
    ...(answers.length > 0 && { authenticationData: data(...answers) }),
    ...init.properties,
  }
  client.sendConnect({ ...init, properties })
}

async function nextSteps(client: MqttClient): Promise<LockStep[]> {
  const packet = await client.next('auth')
  expect(packet.reasonCode).toBe(CONTINUE)
  expect(packet.properties?.authenticationMethod).toBe(METHOD)
  return stepsIn(packet)
}

async function refused(client: MqttClient): Promise<number | undefined> {
  const { reasonCode } = await client.next('connack')
  await client.ended
  return reasonCode
}

describe('answers given ahead, in CONNECT', () => {
  test('are judged in one round trip', async () => {
    for (const username of [undefined, 'acme', 'acme/ann']) {
      const client = await open()
      begin(client, username ? { username } : {}, say(1, 'token', hub.ann))
      const connack = (await client.next()) as Awaited<ReturnType<MqttClient['connect']>>
      expect(connack).toMatchObject({ cmd: 'connack', reasonCode: 0 })
      expect(connack.properties?.authenticationMethod).toBe(METHOD)
      const steps = stepsIn(connack)
      expect(steps.map(brief)).toEqual(['passed'])
      expect(steps[0]?.step.value).toMatchObject({ values: { client: 'client:acme/ann' } })
      expect(await client.publish('acme/yard', 'hi', { qos: 1 })).toBeLessThan(0x80)
    }
  })

  test('open a room with several locks', async () => {
    const client = await open()
    const username = `acme/both/${hub.pump}`
    begin(client, { username }, say(1, 'preset', RESPONSE), say(2, 'token', hub.pumpToken))
    const connack = await client.next('connack')
    expect(connack.reasonCode).toBe(0)
    expect(stepsIn(connack).map(brief)).toEqual(['passed', 'passed'])
  })

  test('are the client’s in JSON as well', async () => {
    const client = await open()
    const packet = create(PacketSchema, { frames: [say(1, 'token', hub.token)] })
    client.sendConnect({
      username: 'acme',
      properties: {
        authenticationMethod: 'porthouse.v1.json',
        authenticationData: Buffer.from(toJsonString(PacketSchema, packet)),
      },
    })
    const { reasonCode, properties } = await client.next('connack')
    expect(reasonCode).toBe(0)
    expect(properties?.authenticationMethod).toBe('porthouse.v1.json')
    const text = properties?.authenticationData?.toString() ?? ''
    expect(fromJsonString(PacketSchema, text).frames).toHaveLength(1)
  })
})

describe('a dialogue', () => {
  test('begins with what the account’s lobby asks', async () => {
    const client = await open()
    begin(client, { username: 'acme' })
    const [step] = await nextSteps(client)
    expect(step?.step).toMatchObject({
      case: 'challenge',
      value: { acceptor: 'key', others: ['ssh-key', 'token', 'password'], place: 'lobby:acme' },
    })
    client.send(auth(CONTINUE, say(1, 'token', hub.token)))
    expect((await client.next('connack')).reasonCode).toBe(0)
  })

  test('is the same for an account that does not exist (K14)', async () => {
    const client = await open()
    begin(client, { username: 'nobody' })
    expect((await nextSteps(client)).map(brief)).toEqual(['asks key'])
    client.send(auth(CONTINUE, say(1, 'token', hub.token)))
    expect((await nextSteps(client)).map(brief)).toEqual(['failed'])
  })

  test('asks nothing where nobody is named: the client says what it proves', async () => {
    const client = await open()
    begin(client, {})
    expect(await nextSteps(client)).toEqual([])
    client.send(auth(CONTINUE, say(1, 'token', hub.token)))
    expect((await client.next('connack')).reasonCode).toBe(0)
  })

  test('proves a connection key, in three steps (SCRAM)', async () => {
    for (const username of ['acme', undefined]) {
      const client = await open()
      begin(client, username ? { username } : {})
      await nextSteps(client)
      const clientNonce = randomBytes(32)
      const start = { key: hub.key.id, nonce: clientNonce, gateway: GATEWAY }
      client.send(auth(CONTINUE, answerTo(1, 'key', { case: 'scramStart', value: start })))
      const [asked] = await nextSteps(client)
      if (asked?.step.case !== 'challenge' || asked.step.value.ask.case !== 'scram') {
        throw new Error('no SCRAM')
      }
      const { nonce: serverNonce, ...ask } = asked.step.value.ask.value
      const { place } = asked.step.value
      expect(place).toBe(username ? 'lobby:acme' : '')
      const exchange = {
        gateway: GATEWAY,
        key: hub.key.id,
        place,
        clientNonce,
        serverNonce,
        ...ask,
      }
      const { proof, serverSignature } = prove(randomOf(hub.key.secret), exchange)
      client.send(auth(CONTINUE, answerTo(2, 'key', { case: 'scramProof', value: { proof } })))
      const connack = await client.next('connack')
      expect(connack.reasonCode).toBe(0)
      const [passed] = stepsIn(connack)
      expect(passed?.step.value).toMatchObject({
        values: { server_signature: serverSignature.toString('base64') },
      })
    }
  })

  test('runs a nested lock (R13)', async () => {
    const client = await open()
    begin(client, { username: `acme/nested/${hub.pump}` })
    const [asked] = await nextSteps(client)
    expect(asked?.step.value).toMatchObject({ acceptor: expect.any(String), depth: 2 })
    client.send(auth(CONTINUE, say(1, 'token', hub.pumpToken)))
    const connack = await client.next('connack')
    expect(connack.reasonCode).toBe(0)
    expect(await client.publish('acme/nested', 'hi', { qos: 1 })).toBeLessThan(0x80)
  })

  test('of a device with its preset (R4)', async () => {
    const client = await open()
    begin(client, { username: `acme/boiler/${hub.pump}` })
    const [asked] = await nextSteps(client)
    expect(asked?.step.value).toMatchObject({
      acceptor: 'preset',
      ask: { case: 'data', value: Buffer.from(CHALLENGE) },
    })
    client.send(auth(CONTINUE, say(1, 'preset', RESPONSE)))
    expect((await client.next('connack')).reasonCode).toBe(0)
  })

  test('lets a client choose another acceptor, and err, but not for ever', async () => {
    const client = await open()
    begin(client, { username: 'acme/pump' })
    await nextSteps(client)
    client.send(auth(CONTINUE, say(1, 'password')))
    expect((await nextSteps(client)).map(brief)).toEqual(['asks password'])
    for (let i = 0; i < 2; i++) {
      const wrong = { case: 'responses', value: { values: ['client:acme/pump', `no ${i}`] } }
      client.send(auth(CONTINUE, answerTo(2 + i, 'password', wrong)))
      expect((await nextSteps(client)).map(brief)).toContain('failed')
    }
    const right = { case: 'responses', value: { values: ['client:acme/pump', PASSWORD] } }
    client.send(auth(CONTINUE, answerTo(9, 'password', right)))
    expect((await client.next('connack')).reasonCode).toBe(0)

    const guesser = await open()
    begin(guesser, { username: 'acme' }, say(1, 'token', 'a'))
    for (let i = 0; i < 2; i++) {
      expect((await nextSteps(guesser)).map(brief)).toContain('failed')
      guesser.send(auth(CONTINUE, say(2 + i, 'token', 'b')))
    }
    expect([0x86, 0x87]).toContain(await refused(guesser))
  })

  test('waits while the client says nothing new', async () => {
    const client = await open()
    begin(client, { username: 'acme' })
    await nextSteps(client)
    client.send(auth(CONTINUE))
    client.send(auth(CONTINUE, say(1, 'token', hub.token)))
    expect(await client.next()).toMatchObject({ cmd: 'connack', reasonCode: 0 })
  })

  test('of one who proves to be another than he said ends', async () => {
    const client = await open()
    begin(client, { username: 'acme/pump' }, say(1, 'token', hub.ann))
    expect(await refused(client)).toBe(0x86)
  })
})

describe('is refused', () => {
  test.each([
    ['an unknown method', 'PLAIN', 0x8c],
    ['one of the language’s words', '__proto__', 0x8c],
    ['an empty one', '', 0x8c],
  ])('%s (M19)', async (_, authenticationMethod, reason) => {
    const client = await open()
    client.sendConnect({ properties: { authenticationMethod } })
    expect(await refused(client)).toBe(reason)
  })

  test('AUTH before CONNECT, and where CONNECT has named no method (M19)', async () => {
    const first = await open()
    first.send(auth(CONTINUE))
    expect(await first.rest()).toEqual([])
    const plain = await MqttClient.connected(hub.port, {
      version: 5,
      username: 'acme',
      password: hub.token,
    })
    plain.send(auth(ANEW, say(1, 'token', hub.ann)))
    expect(await plain.rest()).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x82 }])
  })

  test.each([
    ['another method', (): object => ({ authenticationMethod: 'porthouse.v1.json' })],
    ['frames that are no answers', () => ({ authenticationData: data(hello(1)) })],
    ['bytes that are no packet', () => ({ authenticationData: Buffer.from('ffff', 'hex') })],
  ])('%s in the dialogue', async (_, properties) => {
    const client = await open()
    begin(client, {})
    await nextSteps(client)
    const packet = auth(CONTINUE)
    client.send({ ...packet, properties: { ...packet.properties, ...properties() } })
    expect([0x81, 0x82]).toContain(await refused(client))
  })

  test.each([
    ['another packet than AUTH', Buffer.from('c000', 'hex')],
    ['re-authentication before there was one', Buffer.from('f00f190d15000a', 'hex')],
  ])('%s in the dialogue', async (_, bytes) => {
    const client = await open()
    begin(client, {})
    await nextSteps(client)
    if (bytes.length > 2) client.send(auth(ANEW, say(1, 'token', hub.token)))
    else client.write(bytes)
    expect(await refused(client)).toBe(0x82)
  })

  test('a client that only sends AUTH after AUTH', async () => {
    const client = await open()
    begin(client, {})
    for (let i = 0; i < 100; i++) client.send(auth(CONTINUE))
    expect([0x97, 0x87]).toContain(await refused(client))
  })
})

describe('a proof that is added later', () => {
  async function connected(): Promise<MqttClient> {
    const client = await open()
    begin(client, { username: 'acme' }, say(1, 'token', hub.token))
    expect((await client.next('connack')).reasonCode).toBe(0)
    return client
  }

  test('gives its rights, and success is told', async () => {
    const client = await connected()
    expect(await client.subscribe('rival/yard')).toEqual([0x87])
    client.send(auth(ANEW, say(5, 'token', hub.other)))
    const packet = await client.next('auth')
    expect(packet.reasonCode).toBe(0)
    expect(stepsIn(packet).map(brief)).toEqual(['passed'])
    expect(await client.publish('rival/yard', 'hi', { qos: 1 })).toBeLessThan(0x80)
  })

  test('may take several steps, while messages go on', async () => {
    const client = await connected()
    await client.subscribe('acme/yard')
    client.send(auth(ANEW, say(1, 'password')))
    expect((await nextSteps(client)).map(brief)).toEqual(['asks password'])
    client.sendPublish('acme/yard', 'meanwhile')
    expect((await client.message()).payload.toString()).toBe('meanwhile')
    const right = { case: 'responses', value: { values: ['client:acme/pump', PASSWORD] } }
    client.send(auth(CONTINUE, answerTo(2, 'password', right)))
    expect((await client.next('auth')).reasonCode).toBe(0)
  })

  test('does not hear what is said to others’ requests', async () => {
    const client = await connected()
    client.send(auth(ANEW, say(1, 'password')))
    await nextSteps(client)
    // A locked room, whose challenge nobody listens for.
    expect(await client.subscribe('acme/boiler')).toEqual([0x87])
    const right = { case: 'responses', value: { values: ['client:acme/pump', PASSWORD] } }
    client.send(auth(CONTINUE, answerTo(2, 'password', right)))
    expect((await client.next('auth')).reasonCode).toBe(0)
  })

  test('that fails ends the connection', async () => {
    const client = await connected()
    client.send(auth(ANEW, say(1, 'token', 'wrong')))
    expect(await client.rest()).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x87 }])
  })

  test('is none without an answer, or out of turn', async () => {
    for (const packet of [auth(ANEW), auth(CONTINUE, say(1, 'token', hub.other))]) {
      const client = await connected()
      client.send(packet)
      expect(await client.rest()).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x82 }])
    }
  })
})
