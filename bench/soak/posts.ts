/** Who posts over HTTP: with a receipt, twice under one key, and what is refused. */
import { ACCOUNT } from './house.ts'
import type { Scene } from './scene.ts'

export async function post(scene: Scene, n: number): Promise<void> {
  const key = `post-${scene.round}-${n}`
  const entry = { to: [`room:${ACCOUNT}/ledger`], text: `posted ${n}`, idempotencyKey: key }
  const stored = { ...entry, receipt: 'RECEIPT_LEVEL_STORED' }
  await send(scene, 200, { to: [`room:${ACCOUNT}/hall`], text: `posted ${n}` })
  await send(scene, 200, stored)
  await send(scene, 200, stored)
  await send(scene, 400, { text: 'to whom?' })
  await send(scene, 404, { to: [`room:${ACCOUNT}/nowhere`], text: 'anybody there?' })
  scene.tally('posts')
}

async function send({ house, token }: Scene, status: number, message: object): Promise<void> {
  const response = await fetch(`${house.httpUrl}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(message),
  })
  const text = await response.text()
  if (response.status !== status) throw new Error(`a post: ${response.status}: ${text}`)
}
