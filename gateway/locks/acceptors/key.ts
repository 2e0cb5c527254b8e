/** The `key` acceptor: an account's connection key, by SCRAM-SHA-256 (R1, R7, RFC 5802). */

import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { ScramAskSchema, type ScramProof, type ScramStart } from '@porthouse/proto/v1/lock_step'
import {
  checkProof,
  decoy,
  type KeyData,
  type KeyExchange,
} from '../../identity/connection-keys.ts'
import { isExpired } from '../../identity/expiry.ts'
import type { Finder } from '../../identity/record-cache.ts'
import { ownGatewayUrl } from '../../protocol/gateway-url.ts'
import { isUuid } from '../../protocol/name.ts'
import type { Credential } from '../../store/store.ts'
import type { Acceptor, LockContext, LockStep } from '../acceptor.ts'
import type { Proof } from '../proof.ts'
import type { AcceptorParts } from './index.ts'
import { NO_OPTIONS } from './options.ts'
import { isOfPlace, isProved } from './proved.ts'
import { failed, WRONG } from './steps.ts'

const NAME = 'key'
const NONCE_BYTES = 32
const CLIENT_NONCE_BYTES_MIN = 16
const CLIENT_NONCE_BYTES_MAX = 64
const DECOY_SECRET_BYTES = 32

type Parts = Pick<AcceptorParts, 'store' | 'keys' | 'urls' | 'random'>

export function keyAcceptor(parts: Parts): Acceptor<undefined> {
  const decoySecret = parts.random(DECOY_SECRET_BYTES)
  const keys = (): Finder<Credential> => parts.keys ?? parts.store.credentials
  return {
    name: NAME,
    ...NO_OPTIONS,
    nominable: true,
    prompt: true,
    finished: (context) => isProved(NAME, context),
    begin: () => ({ outcome: 'challenge', ask: { case: undefined } }),
    answer(response, context, state) {
      const exchange = state as KeyExchange | undefined
      if (!exchange && response.case === 'scramStart') return start(response.value, context)
      if (exchange && response.case === 'scramProof') {
        return finish(response.value, context, exchange)
      }
      return WRONG
    },
  }

  async function start(asked: ScramStart, { place, socket }: LockContext): Promise<LockStep> {
    const { length } = asked.nonce
    const gateway = ownGatewayUrl(asked.gateway, parts.urls())
    if (!isUuid(asked.key) || gateway === undefined) return WRONG
    if (length < CLIENT_NONCE_BYTES_MIN || length > CLIENT_NONCE_BYTES_MAX) return WRONG
    const id = asked.key.toLowerCase()
    const kept = dataOf(await find(id), id)
    const ours = parts.random(NONCE_BYTES)
    const login = {
      gateway,
      socket: socket.address,
      nonce: Buffer.concat([asked.nonce, ours]),
      client: id,
      place: place?.address ?? '',
    }
    const salt = Buffer.from(kept.salt, 'base64')
    const { iterations } = kept
    const exchange: KeyExchange = { login, salt, iterations }
    const value = create(ScramAskSchema, { nonce: ours, salt, iterations, socket: socket.address })
    return {
      outcome: 'challenge',
      ask: { case: 'scram', value },
      state: exchange,
    }
  }

  /** Looks the key up again, for it may have been revoked since. */
  async function finish(
    { proof }: ScramProof,
    { place, now }: LockContext,
    exchange: KeyExchange,
  ): Promise<LockStep> {
    const { client: id } = exchange.login
    let credential = ofKind(keys().recent?.(id))
    let signature = credential && checkProof(keyData(credential), exchange, proof)
    if (!signature) {
      credential = await find(id)
      signature = checkProof(dataOf(credential, id), exchange, proof)
    }
    if (!credential || !signature) return WRONG
    if (!isOfPlace(credential.account, place)) return WRONG
    if (isExpired(credential, now)) return failed(Code.PROOF_EXPIRED)
    const values = { server_signature: signature.toString('base64') }
    return { outcome: 'passed', proof: ownerProof(credential, values) }
  }

  async function find(id: string): Promise<Credential | undefined> {
    return ofKind(await keys().find(id))
  }

  function ofKind(credential: Credential | undefined): Credential | undefined {
    return credential?.kind === 'connection-key' ? credential : undefined
  }

  function dataOf(credential: Credential | undefined, id: string): KeyData {
    const made = decoy(id, decoySecret)
    return credential ? keyData(credential) : made
  }
}

function keyData({ data }: Credential): KeyData {
  return data as unknown as KeyData
}

/** What a connection key proves, once it was shown to be known. */
export function ownerProof(
  { id, account, expiresAt }: Credential,
  values: Readonly<Record<string, string>> = {},
): Proof {
  return {
    acceptor: NAME,
    values: { account: account.slug, ...values },
    account,
    owner: true,
    credential: id,
    grants: [],
    ...(expiresAt && { expiresAt }),
  }
}
