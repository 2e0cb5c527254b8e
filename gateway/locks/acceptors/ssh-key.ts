/** The `ssh-key` acceptor: a client signs the login message by a key it has registered (R7). */
import { create } from '@bufbuild/protobuf'
import { NonceSchema, type Signature } from '@porthouse/proto/v1/lock_step'
import { readClientAddress } from '../../identity/client-address.ts'
import { loginMessage } from '../../identity/login-message.ts'
import { readPublicKey, type SshCredential } from '../../identity/ssh-public-key.ts'
import { isSignatureOf, readSshSignature, verifySsh } from '../../identity/ssh-signature.ts'
import { SshError } from '../../identity/ssh-wire.ts'
import { ownGatewayUrl } from '../../protocol/gateway-url.ts'
import type { Credential } from '../../store/store.ts'
import type { Acceptor, LockContext, LockStep } from '../acceptor.ts'
import type { AcceptorParts } from './index.ts'
import { NO_OPTIONS } from './options.ts'
import { byWorth, isOfPlace, isProved } from './proved.ts'
import { passedBy, WRONG } from './steps.ts'

const NAME = 'ssh-key'
const NONCE_BYTES = 32
const ED25519_SIGNATURE_BYTES = 64

/** Keys of one client that a raw signature, which does not say whose it is, is tried with. */
const RAW_KEYS_MAX = 16

type Parts = Pick<AcceptorParts, 'store' | 'urls' | 'random'>

export function sshKeyAcceptor(parts: Parts): Acceptor<undefined> {
  return {
    name: NAME,
    ...NO_OPTIONS,
    nominable: true,
    prompt: true,
    finished: (context) => isProved(NAME, context),
    begin({ socket }) {
      const nonce = parts.random(NONCE_BYTES)
      const value = create(NonceSchema, { nonce, socket: socket.address })
      return { outcome: 'challenge', ask: { case: 'nonce', value }, state: nonce }
    },
    async answer(response, context, nonce): Promise<LockStep> {
      if (response.case !== 'signature' || !(nonce instanceof Uint8Array)) return WRONG
      try {
        return await judge(parts, response.value, context, nonce)
      } catch (error) {
        if (error instanceof SshError) return WRONG
        throw error
      }
    },
  }
}

async function judge(
  { store, urls }: Parts,
  { client, gateway: claimedGateway, signature }: Signature,
  { place, socket, now }: LockContext,
  nonce: Uint8Array,
): Promise<LockStep> {
  const address = readClientAddress(client)
  const gateway = ownGatewayUrl(claimedGateway, urls())
  if (!address || gateway === undefined) return WRONG
  const login = { gateway, socket: socket.address, nonce, client, place: place?.address ?? '' }
  const claimed = await store.clients.claimed(address.account, address.client, 'ssh-key')
  const known = byWorth(claimed?.credentials ?? [], now)
  const credential = await signerOf(loginMessage(login), signature, known)
  if (!claimed || !credential) return WRONG
  if (!isOfPlace(claimed.client.account, place)) return WRONG
  return passedBy(NAME, claimed.client, credential, now)
}

/** Verifies before it looks whose the key is: an unknown client is as much work (K14). */
async function signerOf(
  message: Buffer,
  signature: Uint8Array,
  known: readonly Credential[],
): Promise<Credential | undefined> {
  if (signature.length === ED25519_SIGNATURE_BYTES) return rawSigner(message, signature, known)
  const read = readSshSignature(signature)
  if (!(await isSignatureOf(read, message))) return undefined
  return known.find((credential) => blobOf(credential).equals(read.signer.blob))
}

async function rawSigner(
  message: Buffer,
  signature: Uint8Array,
  known: readonly Credential[],
): Promise<Credential | undefined> {
  const candidates = known.filter(({ data }) => data.type === 'ssh-ed25519').slice(0, RAW_KEYS_MAX)
  const signers: Credential[] = []
  for (const credential of candidates) {
    const key = readPublicKey(blobOf(credential))
    if (await verifySsh(key, 'ssh-ed25519', message, signature)) signers.push(credential)
  }
  if (candidates.length === 0) await verifySsh(NOBODY, 'ssh-ed25519', message, signature)
  return signers[0]
}

/** Of RFC 8032 section 7.1: only for work, and nothing comes of what it verifies. */
const NOBODY = readPublicKey(
  Buffer.from(
    '0000000b7373682d65643235353139' +
      '00000020d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    'hex',
  ),
)

function blobOf({ data }: Credential): Buffer {
  return Buffer.from((data as SshCredential['data']).key, 'base64')
}
