/** A gateway, and guests of each medium with a token of account `acme`. */
import type { Block } from '@porthouse/proto/room/v1/config'
import type { TestGateway } from '../../support/gateway.ts'
import { DeviceGuest, type DeviceOptions } from './device-guest.ts'
import type { Guest, Medium } from './guest.ts'
import { SocketGuest } from './socket-guest.ts'

type Gateway = Pick<TestGateway, 'port' | 'mqttPort'>

export function comes(
  gateway: Gateway,
  medium: Medium,
  secret: string,
  options?: DeviceOptions,
): Promise<Guest> {
  return medium === 'binary' || medium === 'json'
    ? SocketGuest.comes(gateway.port, medium, secret)
    : DeviceGuest.comes(gateway.mqttPort, medium, secret, options)
}

let rooms = 0

/** A new room of `acme`, and the secret of a token with all rights there. */
export async function newRoom(
  gateway: TestGateway,
  ...blocks: Block['kind'][]
): Promise<{ room: string; secret: string }> {
  const slug = `room-${++rooms}`
  await gateway.room(`acme/${slug}`, blocks)
  return { room: `acme/${slug}`, secret: await gateway.token('acme', [slug]) }
}
