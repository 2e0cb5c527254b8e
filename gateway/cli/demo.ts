/** `--demo`: something to talk to at once. The same room and token at every start. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { cloneRoot } from '../config/environment.ts'
import { proveToken } from '../identity/tokens.ts'
import { type Store, StoreError } from '../store/store.ts'
import { makeToken } from './token.ts'

const ACCOUNT = 'demo'
const ROOM = 'hello'

/** Makes what is missing of account, room and token; returns the token's secret. */
export async function prepareDemo(store: Store, dataDir: string): Promise<string> {
  if (!(await store.accounts.find(ACCOUNT))) {
    await unlessThere(store.accounts.create({ slug: ACCOUNT }))
  }
  if (!(await store.rooms.head(ACCOUNT, ROOM))) {
    const config = create(ConfigSchema)
    await unlessThere(
      store.rooms.create({ account: ACCOUNT, slug: ROOM, config, author: 'porthouse run --demo' }),
    )
  }
  const file = join(dataDir, 'demo-token')
  const kept = readKept(file)
  if (kept && (await isGood(store, kept))) return kept
  const grants = [{ room: ROOM, send: true, receive: true }]
  const { secret } = await makeToken(store, { account: ACCOUNT, grants })
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(file, `${secret}\n`, { mode: 0o600 })
  // The mode above is for a new file only.
  chmodSync(file, 0o600)
  return secret
}

/** What to type next, where the gateway is reached at `url` (ws://host:port). */
export function demoHint(url: string, secret: string): string {
  const clone = cloneRoot()
  const command = clone ? relative(process.cwd(), join(clone, 'bin/porthouse')) : 'porthouse'
  const place = url === 'ws://127.0.0.1:8080' ? `${ACCOUNT}/${ROOM}` : `${url}/${ACCOUNT}/${ROOM}`
  return [
    'Type this in two other terminals, then a line in either:',
    '',
    `  ${command} connect ${place} --token ${secret}`,
    '',
  ].join('\n')
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  // Another process may have been faster.
  await made.catch((error: unknown) => {
    if (!(error instanceof StoreError && error.failure === 'exists')) throw error
  })
}

async function isGood(store: Store, secret: string): Promise<boolean> {
  const proof = await proveToken(store.tokens, secret, Date.now())
  if (proof.outcome !== 'proved' || proof.token.account.slug !== ACCOUNT) return false
  return proof.token.grants.some(({ room, send, receive }) => room === ROOM && send && receive)
}

function readKept(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
