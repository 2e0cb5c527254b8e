/** The client in C proves itself by a key that it never sees. */
import { spawn } from 'node:child_process'
import { randomUUID, sign } from 'node:crypto'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { JsonObject } from '@bufbuild/protobuf'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { readPublicKeyLine } from '../../../gateway/identity/ssh-public-key.ts'
import { TestGateway } from '../../support/gateway.ts'
import { ed25519, type Signer } from '../../support/sshsig.ts'
import { buildCore } from './core.ts'
import { Wired } from './wired.ts'

let hub: TestGateway
let program: string
const key = ed25519()
const devices: Wired[] = []

beforeAll(async () => {
  program = join(await buildCore('clang'), 'test/core/signer')
  hub = await TestGateway.start()
  const flow = { kind: { case: 'lock', value: { acceptor: 'ssh-key' } } }
  await hub.room('acme/vault', [{ case: 'access', value: { locks: [], flow } as never }])
  await hub.room('acme/yard', [{ case: 'access', value: { locks: [] } as never }])
  const grants = ['vault', 'yard'].map((room) => ({ room, send: true, receive: true }))
  await hub.store.clients.create({ account: 'acme', slug: 'pump', grants })
  const owner = { id: randomUUID(), kind: 'ssh-key', account: 'acme', client: 'pump' } as const
  const data = { ...readPublicKeyLine(key.line).data } as JsonObject
  await hub.store.credentials.add({ ...owner, label: '', data })
}, 300_000)
afterEach(() => {
  for (const device of devices.splice(0)) device.stop()
})
afterAll(() => hub?.stop())

/** A client that is signed for by this key. */
function device(room: string, { privateKey }: Signer): Wired {
  const gateway = hub.url.replace('ws:', 'http:')
  const words = [`room:acme/${room}`, 'client:acme/pump', gateway]
  const stdio = Array.from({ length: 5 }, () => 'pipe' as const)
  const child = spawn(program, words, { stdio })
  const [asked, signed] = child.stdio.slice(3) as unknown as [Readable, Writable]
  // Its length and itself are written apart, and may come so.
  let said = Buffer.alloc(0)
  asked.on('data', (data: Buffer) => {
    said = Buffer.concat([said, data])
    const end = said.length < 2 ? 2 : 2 + said.readUInt16BE()
    if (said.length < end || end === 2) return
    signed.write(sign(null, said.subarray(2, end), privateKey))
    said = said.subarray(end)
  })
  const wired = new Wired(hub.url, child)
  devices.push(wired)
  return wired
}

test('in the main lobby, and so for each place after it', async () => {
  const inside = device('vault', key)
  expect(await inside.ended()).toBe(0)
  expect(inside.printed).toBe('asked at depth 1\nin\n')
})

test('and not by another key', async () => {
  const outside = device('vault', ed25519())
  expect(await outside.ended()).toBe(1)
  expect(outside.printed).toMatch(/UNAUTHENTICATED\n$/)
})
