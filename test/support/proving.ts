/** A client's side of logins over a real connection, in the main lobby. */
import { type KeyObject, randomBytes, sign } from 'node:crypto'
import type { Challenge } from '@porthouse/proto/v1/lock_step'
import { loginMessage } from '../../gateway/identity/login-message.ts'
import type { FrameInit } from './client-frames.ts'
import { prove, randomOf } from './key-login.ts'
import type { RawWebSocket } from './raw-websocket.ts'

type Response = Record<string, unknown> & { readonly case: string }

/** Without a response it is the choice of an acceptor. */
export function answerTo(id: number, acceptor: string, response?: Response): FrameInit {
  const value = { acceptor, ...(response && { response }) }
  return { id, body: { case: 'lockStep', value: { step: { case: 'answer', value } } } } as FrameInit
}

async function challenged(socket: RawWebSocket, id: number): Promise<Challenge> {
  const { body, ...frame } = await socket.frame()
  const step = body.case === 'lockStep' ? body.value.step : undefined
  if (frame.id !== id || step?.case !== 'challenge') throw new Error(`no challenge: ${body.case}`)
  return step.value
}

async function passed(socket: RawWebSocket): Promise<void> {
  const { body } = await socket.frame()
  const step = body.case === 'lockStep' ? body.value.step : undefined
  if (step?.case !== 'verdict' || step.value.outcome !== 1) throw new Error('not passed')
}

/** By an Ed25519 key, in the raw form. */
export async function proveSshKey(
  socket: RawWebSocket,
  gateway: string,
  client: string,
  key: KeyObject,
): Promise<void> {
  socket.packet(answerTo(1, 'ssh-key'))
  const { ask } = await challenged(socket, 1)
  if (ask.case !== 'nonce') throw new Error(`asks ${ask.case}`)
  const message = loginMessage({ gateway, client, place: '', ...ask.value })
  const value = { client, gateway, signature: sign(null, message, key) }
  socket.packet(answerTo(2, 'ssh-key', { case: 'signature', value }))
  await passed(socket)
}

/** By an account's connection key. */
export async function proveKey(
  socket: RawWebSocket,
  gateway: string,
  { id, secret }: { readonly id: string; readonly secret: string },
): Promise<void> {
  const clientNonce = randomBytes(32)
  const start = { key: id, nonce: clientNonce, gateway }
  socket.packet(answerTo(1, 'key', { case: 'scramStart', value: start }))
  const { ask } = await challenged(socket, 1)
  if (ask.case !== 'scram') throw new Error(`asks ${ask.case}`)
  const { nonce: serverNonce, ...asked } = ask.value
  const exchange = { gateway, key: id, place: '', clientNonce, serverNonce, ...asked }
  const value = { proof: prove(randomOf(secret), exchange).proof }
  socket.packet(answerTo(2, 'key', { case: 'scramProof', value }))
  await passed(socket)
}

export async function provePassword(
  socket: RawWebSocket,
  client: string,
  password: string,
): Promise<void> {
  const value = { values: [client, password] }
  socket.packet(answerTo(1, 'password', { case: 'responses', value }))
  await passed(socket)
}
