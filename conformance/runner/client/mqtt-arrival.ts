/** The beginning of a connection by MQTT: CONNECT, and the CONNACK that refuses it. */
import type { Socket } from 'node:net'
import type { JsonObject } from '@bufbuild/protobuf'
import { generate, type IConnectPacket, type Packet, type Parser, parser } from 'mqtt-packet'

/** MQTT 3.1.1, as CONNECT has it. */
const VERSION = 4

export interface Arrival {
  readonly socket: Socket
  /** Whatever comes after CONNECT. */
  readonly reader: Parser
  readonly connect: IConnectPacket
}

export function awaitConnect(
  socket: Socket,
  told: { arrived(arrival: Arrival): void; broke(clause: string, what: string): void },
): void {
  const reader = parser({ protocolVersion: VERSION })
  socket.setNoDelay(true)
  socket.on('data', (bytes) => reader.parse(bytes))
  // A reset is an end as any other.
  socket.on('error', () => {})
  reader.once('packet', (packet: Packet) => {
    if (packet.cmd !== 'connect') return told.broke('MQTT', `${packet.cmd} before CONNECT`)
    const version = packet.protocolVersion
    if (version !== VERSION) told.broke('MQTT', `version ${version}, not ${VERSION}`)
    told.arrived({ socket, reader, connect: packet })
  })
}

/** What a template of Accept.request is held against. */
export function requestOf({ username = '', password, clientId = '' }: IConnectPacket): JsonObject {
  return { username, password: password?.toString() ?? '', clientId }
}

/** `returnCode` as CONNACK has it. */
export function refuseConnect(socket: Socket, returnCode: number): void {
  const connack = { cmd: 'connack', returnCode, sessionPresent: false } as const
  socket.end(generate(connack, { protocolVersion: VERSION }))
}
