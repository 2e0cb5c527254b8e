/** `--demo`: something to talk to at once. The same rooms and token at every start. */
import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { cloneRoot } from '../config/environment.ts'
import type { Endpoint } from '../config/setting.ts'
import { newToken, proveToken } from '../identity/tokens.ts'
import { type Store, StoreError } from '../store/store.ts'

const ACCOUNT = 'demo'
/** Forgets what is said, and keeps it. */
const ROOM = 'hello'
const BOARD = 'board'
const CONFIGS = {
  [ROOM]: create(ConfigSchema),
  [BOARD]: create(ConfigSchema, {
    blocks: [{ kind: { case: 'history', value: { keep: Keep.DURABLE } } }],
  }),
}
const ROOMS = Object.keys(CONFIGS)

/** Makes what is missing of account, rooms and token; returns the token's secret. */
export async function prepareDemo(store: Store, dataDir: string): Promise<string> {
  if (!(await store.accounts.find(ACCOUNT))) {
    await unlessThere(store.accounts.create({ slug: ACCOUNT }))
  }
  for (const [slug, config] of Object.entries(CONFIGS)) {
    if (await store.rooms.head(ACCOUNT, slug)) continue
    const author = 'porthouse run --demo'
    await unlessThere(store.rooms.create({ account: ACCOUNT, slug, config, author }))
  }
  const file = join(dataDir, 'demo-token')
  const kept = readKept(file)
  if (kept && (await isGood(store, kept))) return kept
  const grants = ROOMS.map((room) => ({ room, send: true, receive: true }))
  const { id, hash, secret } = newToken(randomUUID(), randomBytes(32))
  await store.tokens.create({ id, hash, account: ACCOUNT, grants })
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(file, `${secret}\n`, { mode: 0o600 })
  // The mode above is for a new file only.
  chmodSync(file, 0o600)
  return secret
}

interface Reached {
  /** ws://host:port */
  readonly url: string
  /** Undefined: MQTT is off. */
  readonly mqtt: Endpoint | undefined
  readonly secret: string
}

/** What to type next. */
export function demoHint({ url, mqtt, secret }: Reached): string {
  const clone = cloneRoot()
  const command = clone ? relative(process.cwd(), join(clone, 'bin/porthouse')) : 'porthouse'
  const at = url === 'ws://127.0.0.1:8080' ? '' : `${url}/`
  const connect = (room: string) => `  ${command} connect ${at}${ACCOUNT}/${room}`
  return [
    'Type this in two other terminals, then a line in either:',
    '',
    `${connect(ROOM)} --token ${secret}`,
    '',
    ...(mqtt ? mqttHint(mqtt, secret) : []),
    `What is said in ${ACCOUNT}/${BOARD} is kept, whatever becomes of this gateway:`,
    '',
    `${connect(BOARD)} --since start --token ${secret}`,
    '',
  ].join('\n')
}

/** By the commands that come with mosquitto. */
function mqttHint({ port }: Endpoint, secret: string): string[] {
  const options = `${port === 1883 ? '' : `-p ${port} `}-u ${ACCOUNT} -P ${secret}`
  const topic = `-t ${ACCOUNT}/${ROOM}`
  return [
    'Whoever speaks MQTT is in the same room:',
    '',
    `  mosquitto_sub ${options} ${topic}`,
    `  mosquitto_pub ${options} ${topic} -m 'good morning'`,
    '',
  ]
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  // Another process may have been faster.
  await made.catch((error: unknown) => {
    if (!(error instanceof StoreError && error.failure === 'exists')) throw error
  })
}

async function isGood(store: Store, secret: string): Promise<boolean> {
  const proof = await proveToken(store.tokens, secret, Date.now())
  if (proof.outcome !== 'proved' || proof.record.account.slug !== ACCOUNT) return false
  const { grants } = proof.record
  return ROOMS.every((slug) =>
    grants.some(({ room, send, receive }) => room === slug && send && receive),
  )
}

function readKept(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
