/** The client makes the same bytes as the golden logins say (conformance/login). */
import { createPrivateKey, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scram } from '../../clients/ts/src/answerers/connection-key.ts'
import { gatewayOrigin } from '../../clients/ts/src/gateway-url.ts'
import { loginMessage, sshStrings } from '../../clients/ts/src/login-message.ts'
import { sshsig } from '../../clients/ts/src/node/sshsig.ts'
import { gatewayUrl } from '../../gateway/protocol/gateway-url.ts'

const folder = join(import.meta.dirname, '../../conformance/login')
const cases = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8'))] as const)
const like = (start: string) => cases.filter(([name]) => name.startsWith(start))

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (of: Uint8Array) => Buffer.from(of).toString('hex')

describe('a login message', () => {
  test.each(like('message-'))('%s', (_, { login, message }) => {
    expect(hex(loginMessage({ ...login, nonce: bytes(login.nonce) }))).toBe(message)
  })
})

describe('a login by connection key', () => {
  test.each(like('key-'))('%s', async (_, each) => {
    const { gateway, socket, place, key: client, iterations } = each
    const nonce = bytes(each.clientNonce + each.serverNonce)
    const login = loginMessage({ gateway, socket, nonce, client, place })
    const salt = bytes(each.salt)
    expect(hex(login) + hex(sshStrings(salt, `${iterations}`))).toBe(each.message)
    const random = Uint8Array.from(Buffer.from(each.secret.slice(-43), 'base64url'))
    const { proof, serverSignature } = await scram(random, login, { salt, iterations })
    expect(hex(proof)).toBe(each.proof)
    expect(hex(serverSignature)).toBe(each.serverSignature)
  })
})

test('an SSHSIG by an Ed25519 key', async () => {
  const [, { seed, publicKey, login, signature }] = like('ed25519-sshsig.json')[0]!
  const der = Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex')
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const message = loginMessage({ ...login, nonce: bytes(login.nonce) })
  const blob = Buffer.from(publicKey.split(' ')[1], 'base64')
  const signed = await sshsig(blob, message, async (what) =>
    sshStrings('ssh-ed25519', sign(null, what, key)),
  )
  expect(hex(signed)).toBe(signature)
})

test.each([
  'ws://127.0.0.1:8080/demo/hello',
  'wss://HUB.example:443',
  'ws://hub.example:80/v1/ws',
  'https://hub.example:8443/x?y#z',
  'wss://bücher.example/',
  'ws://[::1]:9/',
  'ftp://hub.example',
  'nonsense',
])('the gateway of %s has the same name on both sides', (url) => {
  expect(gatewayOrigin(url)).toBe(gatewayUrl(url))
})
