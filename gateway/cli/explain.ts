/** `porthouse lock explain`: what a socket would meet at a place (R18), as a dry run. */
import type { JsonObject } from '@bufbuild/protobuf'
import type { Access, Flow as FlowConfig } from '@porthouse/proto/room/v1/access'
import { createCore } from '../gateway.ts'
import { isExpired } from '../identity/expiry.ts'
import { ownerProof } from '../locks/acceptors/key.ts'
import { passedBy } from '../locks/acceptors/steps.ts'
import { type LockSpec, locksIn } from '../locks/flow.ts'
import { clientAddress, type Proof, tokenProof } from '../locks/proof.ts'
import {
  formatAddress,
  type LobbyAddress,
  parsePlace,
  type RoomAddress,
  withKind,
} from '../protocol/address.ts'
import { type DryRun, dryRun } from '../session/entry/dry-run.ts'
import type { RoomRecord, Store } from '../store/store.ts'
import { findClient } from './client.ts'
import { explanationForScripts, printExplanation } from './explanation.ts'
import { EXIT, Failure, usage } from './failure.ts'
import { findAccount } from './find-account.ts'
import { clientName, nameOf, refused } from './names.ts'
import { printJson } from './output.ts'
import { findRoom } from './room.ts'
import { findToken, tokenId } from './token.ts'
import { type Around, missing, type StoreOptions, withStore } from './with-store.ts'

interface ExplainOptions extends StoreOptions {
  /** ACCOUNT/CLIENT, or a client of the account that the address names. */
  readonly as?: string
  readonly tokenId?: string
  readonly key?: boolean
}

type Target = RoomAddress | LobbyAddress

/** Whom the socket would be. */
interface Who {
  readonly client?: string
  readonly token?: string
  /** The account itself. */
  readonly owner: boolean
}

export async function explain(typed: string, options: ExplainOptions): Promise<void> {
  const target = parseTarget(typed)
  const { as, tokenId: token, key = false } = options
  const who: Who = {
    ...(as !== undefined && { client: clientIn(as, target.account) }),
    ...(token !== undefined && { token: tokenId(token) }),
    owner: key,
  }
  const explanation = await withStore(options, async (store, around) => {
    const proofs = await proofsOf(store, target.account, who)
    const { room, run } = await runAt(store, around, target, proofs)
    const address = formatAddress(target)
    return { address, as: proofs.map(nameOfProof), run, options: optionsOf(room, run) }
  })
  if (options.json) return printJson(explanationForScripts(explanation))
  printExplanation(explanation)
}

function parseTarget(typed: string): Target {
  const address = withKind(typed)
  if (!/^(room|lobby):/.test(address)) {
    throw usage(
      `${typed} is no place to enter: write ACCOUNT/ROOM, ACCOUNT/ROOM/CHANNEL or lobby:ACCOUNT`,
    )
  }
  return refused(typed, () => parsePlace(address))
}

function clientIn(typed: string, account: string): string {
  const name = typed.includes('/') ? typed : `${account}/${nameOf(typed, 'client')}`
  clientName(name)
  return name
}

async function runAt(store: Store, { config, log }: Around, target: Target, proofs: Proof[]) {
  if (target.kind === 'lobby') await findAccount(store, target.account)
  const name = target.kind === 'room' && `${target.account}/${target.room}`
  const room = name ? await findRoom(store, name) : undefined
  let run: DryRun | undefined
  try {
    run = await dryRun(createCore({ config, store, log }), target, proofs)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('CONFIG', `the room cannot be entered: ${reason}`, EXIT.failed, cause)
  }
  if (!run) throw missing(`room ${name}`, 'it has just been deleted')
  return { room, run }
}

async function proofsOf(store: Store, account: string, who: Who): Promise<Proof[]> {
  return [
    ...(who.client === undefined ? [] : await clientProofs(store, who.client)),
    ...(who.token === undefined ? [] : [await byToken(store, who.token)]),
    ...(who.owner ? [await byKey(store, account)] : []),
  ]
}

/** By all that it is known by; by none of the acceptors there are where it has nothing. */
async function clientProofs(store: Store, name: string): Promise<Proof[]> {
  const now = Date.now()
  const record = await findClient(store, name)
  const { id, account, slug, grants } = record
  const credentials = await store.credentials.list(account.id, id)
  const proofs = credentials.flatMap((credential) => {
    const step = passedBy(credential.kind, record, credential, now)
    return step.outcome === 'passed' ? [step.proof] : []
  })
  if (proofs.length > 0) return proofs
  const values = { client: clientAddress(account, record) }
  return [{ acceptor: 'none', values, account, client: { id, slug }, grants }]
}

async function byToken(store: Store, id: string): Promise<Proof> {
  const token = await findToken(store, id)
  if (isExpired(token, Date.now())) {
    throw new Failure('TOKEN_EXPIRED', `token ${id} has expired; it proves nothing any more`)
  }
  return tokenProof(token)
}

async function byKey(store: Store, name: string): Promise<Proof> {
  const now = Date.now()
  const account = await findAccount(store, name)
  const keys = await store.credentials.list(account.id)
  const key = keys.find((each) => each.kind === 'connection-key' && !isExpired(each, now))
  if (!key) {
    const next = `make one with: porthouse account key create ${account.slug}`
    throw missing(`connection key of account ${account.slug}`, next)
  }
  return ownerProof(key)
}

function nameOfProof({ acceptor, values, token, owner }: Proof): string {
  const who = token ? `token:${token.id}` : owner ? `account ${values.account}` : values.client
  return acceptor === 'none' ? `${who}` : `${who} (${acceptor})`
}

/** Options as the config has them, by lock; those of locks that a lock needs stand in its own. */
function optionsOf(room: RoomRecord | undefined, { flow }: DryRun): Map<LockSpec, JsonObject> {
  const access = room?.config.blocks.find(({ kind }) => kind.case === 'access')?.kind.value
  const written = optionsIn((access as Access | undefined)?.flow)
  const locks = flow ? locksIn(flow) : []
  return new Map(locks.map((lock, i) => [lock, written[i] ?? {}]))
}

/** In the order of `locksIn`. */
function optionsIn(flow: FlowConfig | undefined): JsonObject[] {
  if (flow?.kind.case === undefined) return []
  if (flow.kind.case === 'lock') return [flow.kind.value.options ?? {}]
  return flow.kind.value.flows.flatMap(optionsIn)
}
