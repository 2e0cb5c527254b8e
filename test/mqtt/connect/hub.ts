/** A gateway with what MQTT clients log in to, and what they log in by. */
import { randomBytes, randomUUID } from 'node:crypto'
import { create, fromBinary, type JsonObject, toBinary } from '@bufbuild/protobuf'
import { type Frame, PacketSchema } from '@porthouse/proto/v1/frame'
import type { LockStep } from '@porthouse/proto/v1/lock_step'
import type { IAuthPacket, IConnackPacket } from 'mqtt-packet'
import { newConnectionKey } from '../../../gateway/identity/connection-keys.ts'
import { newPassword } from '../../../gateway/identity/passwords.ts'
import { newPreset } from '../../../gateway/identity/presets.ts'
import type { CredentialKind } from '../../../gateway/store/store.ts'
import { all, any, guardedBy } from '../../support/access.ts'
import type { FrameInit } from '../../support/client-frames.ts'
import { TestGateway, type TestSettings } from '../../support/gateway.ts'
import type { MqttClient } from '../../support/mqtt-client.ts'

/** What a preset's client is asked, and says. */
export const CHALLENGE = 'who is there?'
export const RESPONSE = 'me'
export const PASSWORD = '7 Äpfel'

export interface Hub {
  readonly gateway: TestGateway
  readonly port: number
  /** UUID of the client `acme/pump`, which has a preset, a password and rights in all rooms. */
  readonly pump: string
  /** Of a token of `acme` without a client. */
  readonly token: string
  /** Of one that acts as `acme/ann`. */
  readonly ann: string
  /** Of one that acts as `acme/pump`. */
  readonly pumpToken: string
  /** Of another account. */
  readonly other: string
  /** The account's own key: id and secret. */
  readonly key: { readonly id: string; readonly secret: string }
}

const ROOMS = {
  boiler: 'preset',
  yard: 'token',
  both: all('token', 'preset'),
  either: any('preset', 'token'),
  nested: 'identity',
  worded: 'password',
} as const

/** Passwords take a while where much else is under way. */
export const PATIENT = { deadlineMs: 60_000 }

export async function startHub(settings: TestSettings = {}): Promise<Hub> {
  const gateway = await TestGateway.start({ limbo: PATIENT, ...settings })
  for (const [name, flow] of Object.entries(ROOMS)) {
    await gateway.room(`acme/${name}`, [guardedBy(flow)])
  }
  await gateway.room('acme/open', [{ case: 'access', value: { locks: [] } as never }])
  await gateway.room('rival/yard', [guardedBy('token')])
  const rooms = Object.keys(ROOMS)
  const { clients, credentials } = gateway.store
  const grants = rooms.map((room) => ({
    room,
    send: true,
    receive: true,
    admit: false,
    channels: [],
  }))
  const { id: pump } = await clients.create({ account: 'acme', slug: 'pump', grants })
  const add = (kind: CredentialKind, data: object) =>
    credentials.add({
      id: randomUUID(),
      kind,
      account: 'acme',
      client: 'pump',
      label: '',
      data: data as JsonObject,
    })
  await add('preset', newPreset(Buffer.from(CHALLENGE), Buffer.from(RESPONSE), randomBytes(16)))
  await add('password', await newPassword(PASSWORD, randomBytes(16)))
  const id = randomUUID()
  const made = newConnectionKey(id, randomBytes(32), randomBytes(16))
  const owner = { id, kind: 'connection-key', account: 'acme', label: '' } as const
  await credentials.add({ ...owner, data: { ...made.data } })
  return {
    gateway,
    port: gateway.mqttPort,
    pump,
    token: await gateway.token('acme', rooms),
    ann: await gateway.token('acme', rooms, { client: 'ann' }),
    pumpToken: await gateway.token('acme', rooms, { client: 'pump' }),
    other: await gateway.token('rival', ['yard']),
    key: { id, secret: made.secret },
  }
}

/** A packet of answers, as authentication data. */
export function data(...frames: FrameInit[]): Buffer {
  return Buffer.from(toBinary(PacketSchema, create(PacketSchema, { frames })))
}

export const METHOD = 'porthouse.v1'

export function auth(reasonCode: number, ...frames: FrameInit[]): IAuthPacket {
  const properties = { authenticationMethod: METHOD, authenticationData: data(...frames) }
  return { cmd: 'auth', reasonCode, properties }
}

/** The lock steps in an AUTH, or in a CONNACK. */
export function stepsIn({ properties }: IAuthPacket | IConnackPacket): LockStep[] {
  return lockSteps(
    fromBinary(PacketSchema, properties?.authenticationData ?? Buffer.alloc(0)).frames,
  )
}

export function lockSteps(frames: readonly Frame[]): LockStep[] {
  return frames.flatMap(({ body }) => (body.case === 'lockStep' ? [body.value] : []))
}

/** The lock steps that come next on the lock topic. */
export async function heardSteps(client: MqttClient): Promise<LockStep[]> {
  const { payload } = await client.message()
  return lockSteps(fromBinary(PacketSchema, payload as Buffer).frames)
}

/** In few words: what is asked, and what came of it. */
export function brief({ step }: LockStep): string {
  if (step.case === 'challenge') return `asks ${step.value.acceptor}`
  if (step.case === 'verdict') return ['', 'passed', 'failed', 'dropped'][step.value.outcome] ?? '?'
  return '?'
}
