/** MQTT 5: enhanced authentication. */
import type { IAuthPacket } from 'mqtt-packet'
import { expect } from 'vitest'
import { answer, packetOf } from '../../support/client-frames.ts'
import type { ConnectInit, MqttClient } from '../../support/mqtt-client.ts'
import { prover, type Site } from './prover.ts'

const proves = prover({ limbo: { failures: 10_000, deadlineMs: 4_000 } })

const METHOD = 'porthouse.v1'
const CONTINUE = 0x18
const AGAIN = 0x19

proves(
  'an unknown method refuses the connection',
  { v5: '4.12.0-1 3.2.2-7 3.2.2-8 4.13.2-1' },
  async (at) => {
    const { client, connack } = await at.asks({ properties: { authenticationMethod: 'none such' } })
    expect(connack).toMatchObject({ reasonCode: 0x8c, sessionPresent: false })
    expect(await client.rest()).toEqual([])
  },
)

proves(
  'the exchange goes on by 0x18 under the one method, to a CONNACK that names it',
  { v5: '3.2.0-1 3.2.0-2 3.15.2-1 4.12.0-2 4.12.0-3 4.12.0-5' },
  async (at) => {
    const client = await asked(at)
    client.send(auth(CONTINUE, at.target.credentials))
    const connack = await client.next('connack')
    expect(connack).toMatchObject({ reasonCode: 0, properties: { authenticationMethod: METHOD } })
    expect(await client.publish(at.topic, 'x', { qos: 1 })).toBe(0x10)
    expect(client.waiting).toEqual([])
  },
)

proves(
  'a wrong answer ends the connection at any point',
  { v5: '4.12.0-4 3.2.2-7' },
  async (at) => {
    const client = await asked(at)
    for (let tries = 0; tries < 10; tries++) client.send(auth(CONTINUE, { password: 'wrong' }))
    for (const packet of await client.rest()) {
      if (packet.cmd === 'auth') expect(packet.reasonCode).toBe(CONTINUE)
      else expect(packet).toMatchObject({ cmd: 'connack', sessionPresent: false })
    }
  },
)

proves(
  'another packet than AUTH or DISCONNECT before CONNACK, or another method, ends it',
  { v5: '3.1.2-30 4.12.0-5 3.14.0-1' },
  async (at) => {
    const early = await asked(at)
    early.send({ cmd: 'pingreq' })
    const other = await asked(at)
    const properties = { authenticationMethod: 'porthouse.v1.json' }
    other.send({ ...auth(CONTINUE, at.target.credentials), properties })
    for (const client of [early, other]) await at.refuses(client, undefined, 0x82, 0x8c)
  },
)

proves(
  'without a method no AUTH is sent nor taken, and none is named',
  { v5: '4.12.0-6 4.12.0-7' },
  async (at) => {
    const { client, connack } = await at.enter()
    expect(connack.properties ?? {}).not.toHaveProperty('authenticationMethod')
    client.send(auth(CONTINUE, at.target.credentials))
    await at.ends(client, 0x82)
    const first = await at.wrote(at.bytes(auth(CONTINUE, at.target.credentials)))
    expect((await first.rest()).filter(({ cmd }) => cmd !== 'connack')).toEqual([])
  },
)

proves(
  'a client may prove itself again, under the same method',
  { v5: '3.15.2-1 4.12.0-5 4.12.1-1' },
  async (at) => {
    const client = await proven(at)
    client.send(auth(AGAIN, at.target.credentials))
    expect(await client.next()).toMatchObject({
      cmd: 'auth',
      reasonCode: 0,
      properties: { authenticationMethod: METHOD },
    })
    expect(await client.settled()).toEqual([])
    client.send({
      ...auth(AGAIN, at.target.credentials),
      properties: { authenticationMethod: 'porthouse.v1.json' },
    })
    await at.ends(client, 0x82)
  },
)

proves('where it fails to, the connection ends', { v5: '4.12.1-2 3.14.2-1' }, async (at) => {
  const client = await proven(at)
  client.send(auth(AGAIN, { password: 'wrong' }))
  await at.ends(client, 0x86, 0x87)
})

proves(
  'its packets fit into what the client takes',
  { v5: '3.15.2-2 3.15.2-3 3.1.2-24' },
  async (at) => {
    const properties = { authenticationMethod: METHOD, maximumPacketSize: 60 }
    const small = await at.open()
    small.write(at.connectBytes({ ...named(at), properties }))
    const packet = await small.next().catch(() => undefined)
    expect((packet?.length ?? 0) + 2).toBeLessThanOrEqual(60)
  },
)

function named(at: Site): ConnectInit {
  return { username: at.target.credentials.username as string, password: undefined as never }
}

/** A client that was asked for a proof. */
async function asked(at: Site): Promise<MqttClient> {
  const client = await at.open()
  client.write(at.connectBytes({ ...named(at), properties: { authenticationMethod: METHOD } }))
  expect(await client.next()).toMatchObject({
    cmd: 'auth',
    reasonCode: CONTINUE,
    properties: { authenticationMethod: METHOD },
  })
  return client
}

async function proven(at: Site): Promise<MqttClient> {
  const client = await asked(at)
  client.send(auth(CONTINUE, at.target.credentials))
  expect((await client.next('connack')).reasonCode).toBe(0)
  return client
}

function auth(reasonCode: number, { password = '' }: ConnectInit): IAuthPacket {
  const authenticationData = packetOf(answer(1, password.toString()))
  return {
    cmd: 'auth',
    reasonCode,
    properties: { authenticationMethod: METHOD, authenticationData },
  }
}
