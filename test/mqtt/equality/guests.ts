/** A gateway, and guests of each medium with a token of account `acme`. */
import { randomBytes, randomUUID } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { type Block, ConfigSchema } from '@porthouse/proto/room/v1/config'
import type { Code } from '@porthouse/proto/v1/code'
import { newToken } from '../../../gateway/identity/tokens.ts'
import { disconnectReason } from '../../../gateway/ingress/mqtt/mapping/reasons.ts'
import { codeInfo } from '../../../gateway/protocol/codes.ts'
import type { TestGateway } from '../../support/gateway.ts'
import type { TokenOptions } from '../../support/memory-store.ts'
import { DeviceGuest, type DeviceOptions } from './device-guest.ts'
import type { Guest, Medium } from './guest.ts'
import { SocketGuest } from './socket-guest.ts'

type Gateway = Pick<TestGateway, 'port' | 'mqttPort'>

export async function comes(
  gateway: Gateway,
  medium: Medium,
  secret: string | undefined,
  options?: DeviceOptions,
): Promise<Guest> {
  if (medium !== 'binary' && medium !== 'json') {
    return DeviceGuest.comes(gateway.mqttPort, medium, secret, options)
  }
  const guest = await SocketGuest.comes(gateway.port, medium, secret)
  if (options?.through !== undefined) await guest.enters(options.through)
  return guest
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

export interface Token {
  readonly id: string
  readonly secret: string
}

/** A token of `acme` with rights in a room, of which the test may change something. */
export async function newTokenIn(
  { store }: TestGateway,
  room: string,
  { expiresAt, client, maxConnections, ...rights }: Omit<TokenOptions, 'channels'> = {},
): Promise<Token> {
  const [account = '', slug = ''] = room.split('/')
  const { id, hash, secret } = newToken(randomUUID(), randomBytes(32))
  const grants = [{ room: slug, send: true, receive: true, ...rights }]
  const terms = {
    ...(expiresAt && { expiresAt }),
    ...(client !== undefined && { client }),
    ...(maxConnections !== undefined && { maxConnections }),
  }
  await store.tokens.create({ id, hash, account, grants, ...terms })
  return { id, secret }
}

export async function configure(
  { store }: TestGateway,
  room: string,
  ...blocks: Block['kind'][]
): Promise<void> {
  const [account = '', slug = ''] = room.split('/')
  const config = create(ConfigSchema, { blocks: blocks.map((kind) => ({ kind })) })
  await store.rooms.configure(account, slug, config, 'test')
}

/** By what a guest's connection ends that the gateway drops. */
export function endOf(medium: Medium, code: Code): number | undefined {
  if (medium === 'mqtt 3.1.1') return undefined
  return medium === 'mqtt 5' ? disconnectReason(code) : codeInfo(code).websocketClose
}
