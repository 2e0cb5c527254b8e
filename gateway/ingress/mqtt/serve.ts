/** MQTT as a gateway has it: its sessions, and the listeners by which clients come to them. */
import type { Connections } from '../connections.ts'
import { originRules } from '../origin.ts'
import type { Proxies } from '../proxies.ts'
import { MqttConnection } from './connection.ts'
import { type MqttIngress, mqttIngress } from './ingress.ts'
import { type MqttParts, type OpenMqtt, openMqtt } from './parts.ts'

export interface Mqtt extends MqttIngress {
  readonly parts: MqttParts
  /** Resolves when what is to be stored is, and wills that are due are said. */
  stored(): Promise<void>
}

export interface ServeMqtt extends OpenMqtt {
  readonly connections: Connections
  readonly proxies: Proxies
}

/** Rejects with a ListenError or StoreError. */
export async function serveMqtt({ connections, proxies, ...given }: ServeMqtt): Promise<Mqtt> {
  const { config, log, sessions, core } = given
  const { http, mqtt, limits } = config
  const parts = await openMqtt(given)
  const options = {
    mqtt,
    packetBytes: limits.packetBytes,
    origins: originRules(http),
    connections,
    proxies,
    log,
    draining: () => sessions.draining,
    uptime: core.uptime,
  }
  const end = async () => {
    await parts.kept.stop()
    await parts.broker.close()
  }
  const ingress = await mqttIngress(
    options,
    (stream, handshake) => new MqttConnection(parts, stream, handshake),
  ).catch(async (error) => {
    await end()
    throw error
  })
  return {
    ...ingress,
    parts,
    stored: () => parts.kept.drain(),
    async close() {
      await ingress.close()
      await end()
    },
  }
}
