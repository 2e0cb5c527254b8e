/** A lock that asks who you are, and leaves it to others to find out (R13). */
import { describe, expect, test } from 'vitest'
import type { Acceptor, LockContext } from '../../../gateway/locks/acceptor.ts'
import { identityAcceptor } from '../../../gateway/locks/acceptors/identity.ts'
import type { Flow } from '../../../gateway/locks/flow.ts'
import type { Proof } from '../../../gateway/locks/proof.ts'
import { BOILER, contextOf, outcomeOf } from '../../support/before-lock.ts'

const DEFAULTS = { tries: 3, deadlineMs: 10_000 }
const ACME = { id: '6ba7b810-9dad-41d1-80b4-00c04fd430c8', slug: 'acme' }
const OTHER = { id: '6ba7b811-9dad-41d1-80b4-00c04fd430c8', slug: 'other' }

/** A gateway with the acceptors of these names; each is finished by any proof of its own. */
function gateway(...names: string[]) {
  const all = new Map<string, Acceptor>()
  const identity = identityAcceptor({ acceptors: () => all, defaults: DEFAULTS })
  for (const name of names) all.set(name, stub(name))
  all.set('identity', identity as Acceptor)
  return identity
}

function stub(name: string): Acceptor {
  return {
    name,
    readOptions: (options) => {
      if (name === 'oidc' && Object.keys(options as object).length === 0) {
        throw new Error('issuer is missing')
      }
      return options
    },
    nominable: name !== 'oidc',
    prompt: true,
    finished: ({ proofs }) => proofs.some(({ acceptor }) => acceptor === name),
    begin: () => ({ outcome: 'challenge', ask: { case: undefined } }),
    answer: () => ({ outcome: 'failed', code: 50 }),
  }
}

function proofOf(slug: string, more: Partial<Proof> = {}): Proof {
  const client = { id: `id-of-${slug}`, slug }
  return { acceptor: 'ssh-key', account: ACME, client, grants: [], values: {}, ...more }
}

type Identity = ReturnType<typeof gateway>

function facing(identity: Identity, options: unknown, facts: Partial<LockContext> = {}) {
  const read = identity.readOptions(options)
  const { proofs = [], place = BOILER, now = 1_000_000 } = facts
  return contextOf({ options: read, proofs, place, now })
}

function names(flow: Flow): unknown {
  return flow.kind === 'lock' ? flow.lock.acceptor : { [flow.kind]: flow.flows.map(names) }
}

describe('who is nobody yet', () => {
  test('is sent to whatever there is to prove an identity by, without options', () => {
    const identity = gateway('preset', 'token', 'ssh-key', 'oidc', 'key')
    const step = identity.begin(facing(identity, {}))
    if (!('outcome' in step) || step.outcome !== 'needs') throw new Error('needs nothing')
    expect(names(step.flow)).toEqual({ any: ['ssh-key', 'token', 'key'] })
    expect(identity.finished(facing(identity, {}))).toBe(false)
  })

  test('is sent to what the options say', () => {
    const identity = gateway('ssh-key', 'token', 'oidc')
    const by = {
      all: {
        flows: [
          { lock: { acceptor: 'token', tries: 1 } },
          { lock: { acceptor: 'oidc', options: { issuer: 'https://id.example' } } },
        ],
      },
    }
    const step = identity.begin(facing(identity, { by }))
    if (!('outcome' in step) || step.outcome !== 'needs') throw new Error('needs nothing')
    expect(names(step.flow)).toEqual({ all: ['token', 'oidc'] })
    expect(step.flow).toMatchObject({ flows: [{ lock: { tries: 1, deadlineMs: 10_000 } }, {}] })
  })
})

describe('who is somebody', () => {
  const identity = gateway('ssh-key', 'token', 'key')
  const anna = proofOf('anna', { credential: 'c', expiresAt: new Date(2_000_000) })

  test('passes as who he is, for as long as that was proved for', () => {
    const context = facing(identity, {}, { proofs: [anna] })
    expect(identity.finished(context)).toBe(true)
    const proof = { ...anna, acceptor: 'identity', values: { client: 'client:acme/anna' } }
    expect(outcomeOf(identity.begin(context) as never)).toEqual(proof)
    const late = facing(identity, {}, { proofs: [anna], now: 2_000_000 })
    expect(identity.finished(late)).toBe(false)
  })

  test('passes as owner of the account, unless it is to be one of some clients', () => {
    const owner: Proof = {
      ...{ acceptor: 'key', account: ACME, owner: true, grants: [] },
      values: { account: 'acme', server_signature: 'x' },
    }
    const step = identity.begin(facing(identity, {}, { proofs: [owner] }))
    expect(outcomeOf(step as never)).toMatchObject({ owner: true, values: { account: 'acme' } })
    const some = facing(identity, { clients: ['anna'] }, { proofs: [owner] })
    expect(identity.finished(some)).toBe(false)
  })

  test('is not taken for somebody else', () => {
    const clients = { clients: ['bob', 'carol'] }
    const both = facing(identity, clients, { proofs: [anna, proofOf('carol')] })
    expect(outcomeOf(identity.begin(both) as never)).toMatchObject({
      values: { client: 'client:acme/carol' },
    })
    const alone = facing(identity, clients, { proofs: [anna] })
    expect(identity.finished(alone)).toBe(false)
    // All that could be asked has been proved, so that asking again would never end.
    expect(outcomeOf(identity.begin(alone) as never)).toBe('ENTRY_NOT_PERMITTED')
  })

  test.each([
    ['a client of another account', proofOf('anna', { account: OTHER })],
    ['a proof for another place', proofOf('anna', { place: 'room:acme/attic' })],
    ['a token that acts as nobody', tokenOf()],
    [
      'a proof of no account',
      { acceptor: 'preset', values: {}, grants: [], place: BOILER.address },
    ],
  ])('not by %s', (_, proof) => {
    expect(identity.finished(facing(identity, {}, { proofs: [proof] }))).toBe(false)
  })

  test('in a place that is named by UUID', () => {
    const place = { address: `room:${ACME.id}/boiler`, account: ACME.id, room: 'boiler' }
    expect(identity.finished(facing(identity, {}, { proofs: [anna], place }))).toBe(true)
  })
})

describe('options', () => {
  const identity = gateway('ssh-key', 'token')

  test.each<[unknown, string]>([
    [{ clients: [] }, 'clients'],
    [{ clients: 'anna' }, 'clients'],
    [{ clients: ['Anna'] }, 'upper-case'],
    [{ clients: Array(257).fill('anna') }, 'clients'],
    [{ client: ['anna'] }, 'client'],
    [{ by: 'ssh-key' }, 'by'],
    [{ by: {} }, 'neither lock'],
    [{ by: { lock: { acceptor: 'oidc' } } }, 'no acceptor oidc'],
    [{ by: { lock: { acceptor: 'identity' } } }, 'no acceptor identity'],
    [{ by: { any: { flows: [] } } }, 'empty group'],
    [{ by: { lock: { acceptor: 'token', colour: 1 } } }, 'colour'],
    [null, 'options'],
  ])('%j are refused: %s', (options, why) => {
    expect(() => identity.readOptions(options)).toThrow(why)
  })

  test('of a gateway that knows nobody by any means are refused', () => {
    expect(() => gateway('preset').readOptions({})).toThrow('empty group')
  })
})

function tokenOf(): Proof {
  const { client: _, ...proof } = proofOf('anna', { acceptor: 'token' })
  return proof
}
