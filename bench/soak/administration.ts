/** What is asked of the gateway as its operator. */
import { type ClientRequest, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { House } from './house.ts'
import { ACCOUNT, roomNames } from './house.ts'

const SERVICES = 'porthouse.admin.v1'

const RETRY_MS = 500

/** Asks again where the database is too busy to answer. */
export async function call(house: House, method: string, body: object): Promise<unknown> {
  const response = await fetch(`${house.httpUrl}/${SERVICES}.${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${house.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (response.status === 503) return await delay(RETRY_MS).then(() => call(house, method, body))
  if (!response.ok) throw new Error(`${method}: ${response.status} ${text}`)
  return JSON.parse(text)
}

export interface IssuedToken {
  readonly name: string
  readonly secret: string
}

/** One that may do anything in the rooms, and in `more`. */
export async function issueToken(house: House, ...more: string[]): Promise<IssuedToken> {
  const grants = [...roomNames, ...more].map((room) => ({
    room: `accounts/${ACCOUNT}/rooms/${room}`,
    send: true,
    receive: true,
  }))
  const body = { parent: `accounts/${ACCOUNT}`, token: { grants } }
  return (await call(house, 'TokenService/CreateToken', body)) as IssuedToken
}

/** The values of /metrics by name, of all labels together. */
export async function scrape(house: House): Promise<Map<string, number>> {
  const headers = { authorization: `Bearer ${house.key}` }
  const text = await (await fetch(`${house.httpUrl}/metrics`, { headers })).text()
  const values = new Map<string, number>()
  for (const [, name, value] of text.matchAll(/^([a-z_]+)(?:\{[^}]*\})? ([-+.\de]+)$/gim)) {
    values.set(name!, (values.get(name!) ?? 0) + Number(value))
  }
  return values
}

/** Watches all sockets; resolves when all that are there are told. */
export async function watchSockets(house: House): Promise<ClientRequest> {
  const body = Buffer.from(JSON.stringify({ parent: `accounts/${ACCOUNT}` }))
  const stream = request(`${house.httpUrl}/${SERVICES}.SocketService/WatchSockets`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${house.key}`,
      'content-type': 'application/connect+json',
    },
  })
  stream.end(Buffer.concat([Buffer.of(0, 0, 0, 0, body.length), body]))
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject)
    stream.once('response', (response) => {
      response.on('error', () => {}).once('close', reject)
      response.on('data', (chunk: Buffer) => {
        if (chunk.includes('"complete":true')) resolve()
      })
    })
  })
  return stream
}
