/** A gateway with rooms of every kind of history, and clients that come and go. */
import { Keep } from '@porthouse/proto/room/v1/history'
import { TestGateway, type TestSettings } from '../../support/gateway.ts'
import { type ConnectInit, MqttClient, type Version } from '../../support/mqtt-client.ts'

export interface House {
  readonly gateway: TestGateway
  /** Of a token with all rights in all rooms. */
  readonly token: string
  readonly other: string
}

/** `hall` keeps nothing, `attic` is durable, `cellar` is for nobody. */
export async function startHouse(settings: TestSettings = {}): Promise<House> {
  const gateway = await TestGateway.start(settings)
  await gateway.room('acme/hall')
  await gateway.room('acme/attic', [{ case: 'history', value: { keep: Keep.DURABLE } as never }])
  await gateway.room('acme/cellar')
  return {
    gateway,
    token: await gateway.token('acme', ['hall', 'attic']),
    other: await gateway.token('acme', ['hall', 'attic']),
  }
}

interface Init extends Omit<ConnectInit, 'properties'> {
  readonly version?: Version
  /** Session expiry in seconds; of 3.1.1 it is said by `clean`. */
  readonly expiry?: number
  readonly properties?: ConnectInit['properties']
}

/** By the house's token; MQTT 5 and a session that stays, unless said otherwise. */
export async function arrive(
  { gateway, token }: House,
  clientId: string,
  { version = 5, expiry = 3600, properties, ...init }: Init = {},
) {
  const client = await MqttClient.open(gateway.mqttPort, { version })
  const connack = await client.connect({
    username: 'acme',
    password: token,
    clientId,
    clean: false,
    ...init,
    ...(version === 5 && { properties: { sessionExpiryInterval: expiry, ...properties } }),
  })
  return { client, connack, present: connack.sessionPresent }
}

export function textOf({ payload }: { readonly payload: string | Buffer }): string {
  return payload.toString()
}
