/** Logging in by an SSH key, with signatures that OpenSSH made, and all ways to cheat (K11). */
import { randomBytes, sign } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { SignatureSchema } from '@porthouse/proto/v1/lock_step'
import fc from 'fast-check'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { type LoginMessage, loginMessage } from '../../../gateway/identity/login-message.ts'
import { readPublicKeyLine } from '../../../gateway/identity/ssh-public-key.ts'
import type { LockContext, Response } from '../../../gateway/locks/acceptor.ts'
import { sshKeyAcceptor } from '../../../gateway/locks/acceptors/ssh-key.ts'
import type { Store } from '../../../gateway/store/store.ts'
import { asked, BOILER, contextOf, GATEWAY, outcomeOf, SOCKET } from '../../support/before-lock.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { SshKeygen } from '../../support/ssh-keygen.ts'
import { ed25519, rsa, type Signer, sshsig, type Wrong } from '../../support/sshsig.ts'

const ANNA = 'client:acme/anna'
const WRONG = 'UNAUTHENTICATED'
const ssh = new SshKeygen()
afterAll(() => ssh[Symbol.dispose]())

/** A gateway with account acme, its client anna, and these keys of hers. */
function gateway(...lines: string[]) {
  const store = new MemoryStore()
  store.room('acme/boiler')
  store.room('other/room')
  const anna = store.client('acme/anna', [{ room: 'boiler', send: true }])
  const keys = lines.map((line) => register(store, 'acme/anna', line))
  const urls = [GATEWAY, 'http://127.0.0.1:8080']
  const parts = { store: store as unknown as Store, urls: () => urls, random: randomBytes }
  return { store, anna, keys, acceptor: sshKeyAcceptor(parts) }
}

function register(store: MemoryStore, client: string, line: string, expiresAt?: Date) {
  const { data, label } = readPublicKeyLine(line)
  return store.credential(client, 'ssh-key', data, { label, ...(expiresAt && { expiresAt }) })
}

type Acceptor = ReturnType<typeof gateway>['acceptor']

async function challenge(acceptor: Acceptor, context: LockContext<undefined>) {
  const { ask, state } = asked(await acceptor.begin(context), 'nonce')
  return { nonce: ask.value.nonce, socket: ask.value.socket, state }
}

function message(nonce: Uint8Array, other: Partial<LoginMessage> = {}): Buffer {
  const place = BOILER.address
  return loginMessage({ gateway: GATEWAY, socket: SOCKET, nonce, client: ANNA, place, ...other })
}

function answer(
  signature: Uint8Array,
  claims: { client?: string; gateway?: string } = {},
): Response {
  const value = create(SignatureSchema, { client: ANNA, gateway: GATEWAY, signature, ...claims })
  return { case: 'signature', value }
}

/** Begins, signs what `make` makes of the nonce, and answers with it. */
async function login(
  { acceptor }: { acceptor: Acceptor },
  make: (nonce: Uint8Array) => Uint8Array,
  context = contextOf<undefined>(),
  claims: { client?: string; gateway?: string } = {},
) {
  const { nonce, state } = await challenge(acceptor, context)
  return outcomeOf(await acceptor.answer(answer(make(nonce), claims), context, state))
}

describe('what ssh-keygen signs', () => {
  test.each([
    ['ed25519'],
    ['ecdsa', '-b', '256'],
    ['ecdsa', '-b', '384'],
    ['ecdsa', '-b', '521'],
    ['rsa', '-b', '2048'],
    ['rsa', '-b', '3072'],
  ])('opens the lock: %s %s %s', async (kind, ...options) => {
    const pair = ssh.make(kind!, ...options)
    const hub = gateway(pair.line)
    for (const hash of ['sha256', 'sha512']) {
      const armoured = (nonce: Uint8Array) => ssh.sign(pair, message(nonce), 'porthouse', hash)
      const proof = {
        acceptor: 'ssh-key',
        account: hub.anna.account,
        client: hub.anna,
        credential: hub.keys[0]!.id,
        grants: hub.anna.grants,
        values: { client: ANNA },
      }
      expect(await login(hub, armoured)).toEqual(proof)
      expect(await login(hub, (nonce) => binary(armoured(nonce)))).toEqual(proof)
    }
  })

  test('of another namespace, as of git or of a file, does not', async () => {
    const pair = ssh.make('ed25519')
    const hub = gateway(pair.line)
    for (const namespace of ['git', 'file', 'porthouse2', 'porthouse@example']) {
      expect(await login(hub, (nonce) => ssh.sign(pair, message(nonce), namespace))).toBe(WRONG)
    }
  })

  test('by a certificate of a registered key does not', async () => {
    const [pair, authority] = [ssh.make('ed25519'), ssh.make('ed25519')]
    const hub = gateway(pair.line)
    ssh.run('-q', '-s', authority.file, '-I', 'anna', '-n', 'anna', `${pair.file}.pub`)
    const file = `${pair.file}-cert.pub`
    const certified = { ...pair, file }
    expect(await login(hub, (nonce) => ssh.sign(certified, message(nonce)))).toBe(WRONG)
  })
})

describe('who may log in', () => {
  const [key, second] = [ed25519(), ed25519()]

  test('whoever holds any of the keys, by an SSHSIG or a plain Ed25519 signature', async () => {
    const hub = gateway(key.line, second.line)
    for (const [i, each] of [key, second].entries()) {
      const credential = hub.keys[i]!.id
      expect(await login(hub, (nonce) => sshsig(each, message(nonce)))).toMatchObject({
        credential,
      })
      expect(await login(hub, (nonce) => raw(each, message(nonce)))).toMatchObject({ credential })
    }
  })

  test('a client in the main lobby, who signs for no place', async () => {
    const hub = gateway(key.line)
    const lobby = contextOf<undefined>({ place: undefined })
    const signed = (nonce: Uint8Array) => sshsig(key, message(nonce, { place: '' }))
    expect(await login(hub, signed, lobby)).toMatchObject({ values: { client: ANNA } })
    expect(await login(hub, (nonce) => sshsig(key, message(nonce)), lobby)).toBe(WRONG)
  })

  test('a client by its UUIDs, in a place that is named by UUID', async () => {
    const hub = gateway(key.line)
    const { id, account } = hub.anna
    const client = `client:${account.id}/${id}`
    const place = { address: `room:${account.id}/boiler`, account: account.id, room: 'boiler' }
    const signed = (nonce: Uint8Array) =>
      sshsig(key, message(nonce, { client, place: place.address }))
    const context = contextOf<undefined>({ place })
    const proof = await login(hub, signed, context, { client })
    expect(proof).toMatchObject({ values: { client: ANNA } })
  })

  test('a client that knows the gateway by another of its URLs, however written', async () => {
    const hub = gateway(key.line)
    const local = 'http://127.0.0.1:8080'
    const signed = (nonce: Uint8Array) => sshsig(key, message(nonce, { gateway: local }))
    const claims = { gateway: 'ws://127.0.0.1:8080/acme/boiler' }
    expect(await login(hub, signed, contextOf(), claims)).toMatchObject({
      values: { client: ANNA },
    })
  })

  test('nobody with a key of another client, another account, or nobody', async () => {
    const hub = gateway(key.line)
    hub.store.client('acme/bob')
    hub.store.client('other/anna')
    register(hub.store, 'acme/bob', second.line)
    register(hub.store, 'other/anna', second.line)
    const signs = (client: string) => (nonce: Uint8Array) =>
      sshsig(second, message(nonce, { client }))
    expect(await login(hub, signs(ANNA))).toBe(WRONG)
    const other = { client: 'client:other/anna' }
    expect(await login(hub, signs(other.client), contextOf(), other)).toBe(WRONG)
    const stranger = ed25519()
    expect(await login(hub, (nonce) => sshsig(stranger, message(nonce)))).toBe(WRONG)
    expect(await login(hub, (nonce) => raw(stranger, message(nonce)))).toBe(WRONG)
  })

  test('nobody by a password that happens to have the shape of a key', async () => {
    const hub = gateway()
    hub.store.credential('acme/anna', 'preset', readPublicKeyLine(key.line).data)
    expect(await login(hub, (nonce) => sshsig(key, message(nonce)))).toBe(WRONG)
  })

  test('nobody by a key that was deleted; one that has expired is told so', async () => {
    const hub = gateway(key.line)
    const old = register(hub.store, 'acme/anna', second.line, new Date(1_000_000))
    const signed = (signer: Signer) => (nonce: Uint8Array) => sshsig(signer, message(nonce))
    expect(await login(hub, signed(second))).toBe('PROOF_EXPIRED')
    expect(await login(hub, (nonce) => raw(second, message(nonce)))).toBe('PROOF_EXPIRED')
    expect(await login(hub, signed(second), contextOf({ now: 999_999 }))).toMatchObject({
      credential: old.id,
      expiresAt: old.expiresAt,
    })
    hub.store.deleteCredential(hub.keys[0]!.id)
    expect(await login(hub, signed(key))).toBe(WRONG)
  })

  test('an unknown client costs and is told the same as a wrong signature (K14)', async () => {
    const hub = gateway(key.line)
    const asked = vi.spyOn(hub.store.clients, 'claimed')
    const clients = [ANNA, 'client:acme/nobody', 'client:nowhere/anna']
    const told = clients.map(async (client) => {
      const signed = (nonce: Uint8Array) => sshsig(second, message(nonce, { client }))
      return login(hub, signed, contextOf(), { client })
    })
    expect(await Promise.all(told)).toEqual([WRONG, WRONG, WRONG])
    expect(asked).toHaveBeenCalledTimes(clients.length)
  })

  test('a store that is away is no verdict', async () => {
    const hub = gateway(key.line)
    const context = contextOf<undefined>()
    const { nonce, state } = await challenge(hub.acceptor, context)
    hub.store.away = true
    const response = answer(sshsig(key, message(nonce)))
    await expect(hub.acceptor.answer(response, context, state)).rejects.toThrow('away')
  })
})

describe('one signature, one login', () => {
  const key = ed25519()

  test('a nonce is new each time, and 32 bytes', async () => {
    const { acceptor } = gateway(key.line)
    const nonces = await Promise.all(
      Array.from({ length: 50 }, () => challenge(acceptor, contextOf())),
    )
    const seen = nonces.map(({ nonce }) => Buffer.from(nonce).toString('hex'))
    expect(new Set(seen).size).toBe(50)
    expect(seen.every((nonce) => nonce.length === 64)).toBe(true)
    expect(nonces[0]!.socket).toBe(SOCKET)
  })

  test('a replay, for the next nonce or on another socket, is refused (K12)', async () => {
    const hub = gateway(key.line)
    const context = contextOf<undefined>()
    const { nonce, state } = await challenge(hub.acceptor, context)
    const response = answer(sshsig(key, message(nonce)))
    const passed = await hub.acceptor.answer(response, context, state)
    expect(passed.outcome).toBe('passed')
    const next = await challenge(hub.acceptor, context)
    expect(outcomeOf(await hub.acceptor.answer(response, context, next.state))).toBe(WRONG)
    // The same nonce elsewhere, as if the gateway's chance had failed.
    const foreign = contextOf<undefined>({ address: 'socket:zzzzzzzz22222222' })
    expect(outcomeOf(await hub.acceptor.answer(response, foreign, state))).toBe(WRONG)
    const elsewhere = contextOf<undefined>({ place: { ...BOILER, address: 'room:acme/attic' } })
    expect(outcomeOf(await hub.acceptor.answer(response, elsewhere, state))).toBe(WRONG)
  })

  test('a signature made before any nonce was asked for is refused', async () => {
    const { acceptor } = gateway(key.line)
    const response = answer(sshsig(key, message(new Uint8Array())))
    expect(outcomeOf(await acceptor.answer(response, contextOf(), undefined))).toBe(WRONG)
  })

  test("one for a rogue gateway's URL is worth nothing here, whatever it claims", async () => {
    const hub = gateway(key.line)
    const rogue = 'https://evil.example'
    const signed = (nonce: Uint8Array) => sshsig(key, message(nonce, { gateway: rogue }))
    for (const gateway of [rogue, GATEWAY, '', 'not a URL', `${GATEWAY}@evil.example`]) {
      expect(await login(hub, signed, contextOf(), { gateway })).toBe(WRONG)
    }
    const ours = (nonce: Uint8Array) => sshsig(key, message(nonce))
    expect(await login(hub, ours, contextOf(), { gateway: rogue })).toBe(WRONG)
  })

  test('each part of the message counts, and where one ends and the next begins', async () => {
    const hub = gateway(key.line)
    const part = fc.constantFrom('gateway', 'socket', 'client', 'place' as const)
    await fc.assert(
      fc.asyncProperty(part, fc.string(), fc.boolean(), async (name, text, plain) => {
        const right = { gateway: GATEWAY, socket: SOCKET, client: ANNA, place: BOILER.address }
        fc.pre(right[name as 'client'] !== text)
        const make = (nonce: Uint8Array) => {
          const wrong = message(nonce, { [name]: text })
          return plain ? raw(key, wrong) : sshsig(key, wrong)
        }
        expect(await login(hub, make)).toBe(WRONG)
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(31), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const make = (nonce: Uint8Array) => sshsig(key, message(nonce.with(at, nonce[at]! ^ flip)))
        expect(await login(hub, make)).toBe(WRONG)
      }),
      { numRuns: 40 },
    )
    // Two strings that, end to end, read as the right ones do.
    const shifted = (nonce: Uint8Array) =>
      sshsig(key, message(nonce, { client: `${ANNA}room:acme`, place: '/boiler' }))
    expect(await login(hub, shifted)).toBe(WRONG)
  })

  test('a login message is no other context, even unprefixed', async () => {
    const hub = gateway(key.line)
    const cut = (nonce: Uint8Array) => sshsig(key, message(nonce).subarray(4 + 18))
    expect(await login(hub, cut)).toBe(WRONG)
  })
})

describe('malformed and weak', () => {
  const key = ed25519()
  const strong = rsa()
  const hub = gateway(key.line, strong.line)

  test.each<[string, Wrong]>([
    ['another magic', { magic: 'SSHSIX' }],
    ['another version', { version: 2 }],
    ['something reserved', { reserved: 'x' }],
    ['SHA-1', { hash: 'sha1' }],
    ['SHA-384', { hash: 'sha384' }],
    ['an algorithm that is not the key’s', { algorithm: 'rsa-sha2-512' }],
    ['an algorithm of no name', { algorithm: '' }],
    ['an algorithm that every object has', { algorithm: 'constructor' }],
    ['a tail', { tail: 'x' }],
    ['an empty key', { blob: Buffer.alloc(0) }],
  ])('%s', async (_, wrong) => {
    expect(await login(hub, (nonce) => sshsig(key, message(nonce), wrong))).toBe(WRONG)
  })

  test('RSA by SHA-2 alone', async () => {
    const by = (algorithm: string, digest: string) => (nonce: Uint8Array) =>
      sshsig(strong, message(nonce), { algorithm, digest })
    for (const [algorithm, digest] of [
      ['rsa-sha2-256', 'sha256'],
      ['rsa-sha2-512', 'sha512'],
    ] as const) {
      expect(await login(hub, by(algorithm, digest))).toMatchObject({ acceptor: 'ssh-key' })
    }
    for (const [algorithm, digest] of [
      ['ssh-rsa', 'sha1'],
      ['ssh-rsa', 'sha256'],
      ['rsa-sha2-256', 'sha1'],
      ['rsa-sha2-256', 'sha512'],
      ['rsa-sha2-512', 'sha1'],
    ] as const) {
      expect(await login(hub, by(algorithm, digest))).toBe(WRONG)
    }
  })

  test('a weak RSA key that got into the store all the same', async () => {
    const weak = rsa(1024)
    const shared = gateway()
    const data = { type: 'ssh-rsa', key: weak.blob.toString('base64'), fingerprint: '' }
    shared.store.credential('acme/anna', 'ssh-key', data)
    const by = { algorithm: 'rsa-sha2-512', digest: 'sha512' }
    expect(await login(shared, (nonce) => sshsig(weak, message(nonce), by))).toBe(WRONG)
  })

  test('signatures cut short, grown, and of one wrong byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, flip) => {
        const cut = (nonce: Uint8Array) => {
          const bytes = sshsig(key, message(nonce))
          return bytes.subarray(0, place % bytes.length)
        }
        const flipped = (nonce: Uint8Array) => {
          const bytes = sshsig(key, message(nonce))
          const at = place % bytes.length
          return bytes.with(at, bytes[at]! ^ flip)
        }
        expect(await login(hub, cut)).toBe(WRONG)
        expect(await login(hub, flipped)).toBe(WRONG)
        const rawFlipped = (nonce: Uint8Array) => {
          const bytes = raw(key, message(nonce))
          return bytes.with(place % 64, bytes[place % 64]! ^ flip)
        }
        expect(await login(hub, rawFlipped)).toBe(WRONG)
      }),
      { numRuns: 60 },
    )
  })

  test('ECDSA numbers that are zero, negative, padded or too long', async () => {
    const pair = ssh.make('ecdsa', '-b', '256')
    const ecdsa = gateway(pair.line)
    const numbers = [[0], [], [0x80], [0, 1], [1], Array(40).fill(1)].map((each) =>
      Buffer.from(each),
    )
    for (const r of numbers) {
      for (const s of numbers) {
        const make = (nonce: Uint8Array) =>
          withNumbers(binary(ssh.sign(pair, message(nonce))), r, s)
        expect(await login(ecdsa, make)).toBe(WRONG)
      }
    }
  })

  test('noise, and noise in armour', async () => {
    const armour = (bytes: Uint8Array) =>
      Buffer.from(
        `-----BEGIN SSH SIGNATURE-----\n${Buffer.from(bytes).toString('base64')}\n` +
          '-----END SSH SIGNATURE-----\n',
      )
    const noise = fc.uint8Array({ maxLength: 300 })
    const sized = fc.uint8Array({ minLength: 64, maxLength: 64 })
    const headed = noise.map((bytes) => Buffer.concat([Buffer.from('SSHSIG\0\0\0\u0001'), bytes]))
    const text = fc.string().map((body) => Buffer.from(`-----BEGIN SSH SIGNATURE-----${body}`))
    const any = fc.oneof(noise, sized, headed, text, noise.map(armour), headed.map(armour))
    await fc.assert(
      fc.asyncProperty(any, async (bytes) => {
        expect(await login(hub, () => bytes)).toBe(WRONG)
      }),
    )
  })

  test('answers of another kind, and clients that are none', async () => {
    const context = contextOf<undefined>()
    const { nonce, state } = await challenge(hub.acceptor, context)
    const others: Response[] = [
      { case: undefined },
      { case: 'text', value: 'let me in' },
      { case: 'data', value: sshsig(key, message(nonce)) },
    ]
    for (const response of others) {
      expect(outcomeOf(await hub.acceptor.answer(response, context, state))).toBe(WRONG)
    }
    const clients = ['', 'anna', 'acme/anna', 'room:acme/anna', 'client:acme', 'client:acme/anna/x']
    for (const client of [...clients, 'client:acme/\0', 'socket:abcdefgh234567ab']) {
      const signed = (made: Uint8Array) => sshsig(key, message(made, { client }))
      expect(await login(hub, signed, context, { client })).toBe(WRONG)
    }
  })
})

describe('finished', () => {
  test('by a proof of its own, in the account of the place, that lasts', async () => {
    const key = ed25519()
    const hub = gateway(key.line)
    const proof = await login(hub, (nonce) => sshsig(key, message(nonce)))
    if (typeof proof === 'string') throw new Error(proof)
    const finished = (facts: Parameters<typeof contextOf>[0]) =>
      hub.acceptor.finished(contextOf<undefined>({ ...facts, options: undefined }))
    const { account } = hub.anna
    expect(finished({ proofs: [] })).toBe(false)
    expect(finished({ proofs: [proof] })).toBe(true)
    const byId = { address: `room:${account.id}/attic`, account: account.id, room: 'attic' }
    expect(finished({ proofs: [proof], place: byId })).toBe(true)
    const foreign = { address: 'room:other/room', account: 'other', room: 'room' }
    expect(finished({ proofs: [proof], place: foreign })).toBe(false)
    expect(finished({ proofs: [proof], place: undefined })).toBe(false)
    expect(finished({ proofs: [{ ...proof, acceptor: 'token' }] })).toBe(false)
    expect(finished({ proofs: [{ ...proof, expiresAt: new Date(1_000_000) }] })).toBe(false)
  })
})

function raw({ privateKey }: Signer, bytes: Uint8Array): Buffer {
  return sign(null, bytes, privateKey)
}

function binary(armoured: Buffer): Buffer {
  return Buffer.from(armoured.toString().split('\n').slice(1, -2).join(''), 'base64')
}

/** An ECDSA SSHSIG whose r and s become these bytes. */
function withNumbers(bytes: Buffer, r: Buffer, s: Buffer): Buffer {
  const lengthOf = (content: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(content.length)
    return Buffer.concat([length, content])
  }
  const name = Buffer.from('ecdsa-sha2-nistp256')
  const start = bytes.lastIndexOf(name) - 8
  const inner = Buffer.concat([lengthOf(name), lengthOf(Buffer.concat([r, s].map(lengthOf)))])
  return Buffer.concat([bytes.subarray(0, start), lengthOf(inner)])
}
