/** What is probed: a real gateway; with PROBE=mosquitto a broker to judge the probes by. */
import { Values } from '@porthouse/proto/room/v1/retained'
import { TestGateway, type TestSettings } from '../../support/gateway.ts'
import type { ConnectInit } from '../../support/mqtt-client.ts'
import { block, DURABLE } from '../../support/past.ts'
import { startMosquitto } from './mosquitto.ts'

/** A room that keeps nothing but retained values, and one that stores before it acknowledges. */
export const ROOM = 'acme/boiler'
export const DURABLE_ROOM = 'acme/ledger'

export interface Target {
  readonly port: number
  /** Of WebSocket, at /mqtt. */
  readonly httpPort: number
  /** User name and password that may send and receive in both rooms. */
  readonly credentials: ConnectInit
  /** It may close where the gateway says why first. */
  readonly lenient: boolean
  stop(): Promise<void>
}

export function startTarget(settings: TestSettings): Promise<Target> {
  return process.env.PROBE === 'mosquitto' ? startMosquitto() : startGateway(settings)
}

async function startGateway({ mqtt, ...settings }: TestSettings): Promise<Target> {
  const listening = { listen: '127.0.0.1:0', websocket: true, ...mqtt }
  const gateway = await TestGateway.start({ mqtt: listening, ...settings })
  const retained = block('retained', { values: Values.ASKED })
  await gateway.room(ROOM, [retained])
  await gateway.room(DURABLE_ROOM, [retained, DURABLE])
  const password = await gateway.token('acme', ['boiler', 'ledger'])
  return targetOf(gateway, { username: 'acme', password })
}

/** A gateway as a target. */
export function targetOf(gateway: TestGateway, credentials: ConnectInit): Target {
  return {
    port: gateway.mqttPort,
    httpPort: gateway.port,
    credentials,
    lenient: false,
    stop: () => gateway.stop(),
  }
}
