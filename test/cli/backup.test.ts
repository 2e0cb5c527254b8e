/** `porthouse backup` and `porthouse restore`, as an operator uses them. */
import { execFileSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bin, DataFolder, json, porthouse } from './process.ts'

interface Held {
  readonly made: string
  readonly secrets: boolean
  readonly rows: Record<string, number>
}

let data: DataFolder
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'porthouse-backup-'))
  data = await DataFolder.open()
  await data.store.accounts.create({ slug: 'acme' })
  const config = create(ConfigSchema)
  await data.store.rooms.create({
    account: 'acme',
    slug: 'hall',
    config,
    author: 'ann',
  })
  const rights = { room: 'hall', send: true, receive: false, admit: false, channels: [] }
  const secret = { id: randomUUID(), hash: randomBytes(32) }
  await data.store.tokens.create({ ...secret, account: 'acme', grants: [rights] })
})
afterAll(async () => {
  await data.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A data folder of the test's own, in which nothing is yet. */
function elsewhere(name: string): { PORTHOUSE_DATA: string } {
  return { PORTHOUSE_DATA: join(folder, name) }
}

describe('backup', () => {
  it('of a store in use is a file for its owner alone, which replaces another', async () => {
    const file = join(folder, 'monday')
    writeFileSync(file, 'of last week', { mode: 0o644 })
    const made = await json<Held & { bytes: number }>(['backup', file], { env: data.env })
    expect(made).toMatchObject({ file, secrets: true, rows: { accounts: 1, rooms: 1, tokens: 1 } })
    expect(statSync(file)).toMatchObject({ size: made.bytes })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const [line] = readFileSync(file, 'latin1').split('\n')
    expect(JSON.parse(line!)).toMatchObject({ format: 'porthouse backup', made: made.made })
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([])
  })

  it('says in a line what it has', async () => {
    const { stdout } = await porthouse(['backup', join(folder, 'told')], { env: data.env })
    expect(stdout).toMatch(/told has 1 accounts, 1 rooms, 0 messages, as of \S+, in \d+ bytes\n$/)
  })

  it('makes no store where there is none, and no file', async () => {
    const env = elsewhere('none')
    const file = join(folder, 'of-nothing')
    const { code, stderr } = await porthouse(['backup', file, '--json'], { env })
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'MISSING' } })
    expect([existsSync(env.PORTHOUSE_DATA), existsSync(file)]).toEqual([false, false])
  })

  it('where no file can be says so, and leaves what is there', async () => {
    const file = join(folder, 'a-folder')
    mkdirSync(file)
    for (const path of [file, join(folder, 'no/folder')]) {
      const { code, stderr } = await porthouse(['backup', path, '--json'], { env: data.env })
      expect(code).toBe(1)
      expect(JSON.parse(stderr).error.code).toMatch(/^(EEXIST|ENOENT)$/)
    }
    expect(readdirSync(file)).toEqual([])
  })
})

describe('restore', () => {
  it('brings all of it into a new data folder', async () => {
    const file = join(folder, 'to-move')
    const { rows, made } = await json<Held>(['backup', file], { env: data.env })
    const env = elsewhere('moved')
    expect(await json(['restore', file], { env })).toEqual({ made, secrets: true, rows })
    expect(await json(['token', 'list', 'acme'], { env })).toEqual(
      await json(['token', 'list', 'acme'], { env: data.env }),
    )
    expect((await porthouse(['restore', file, '--replace'], { env })).stdout).toMatch(
      /^the store has again 1 accounts, 1 rooms, 0 messages, as of \S+\n$/,
    )
  })

  it('reads what a pipe brings from another machine', async () => {
    const { PATH = '' } = process.env
    const env = { PATH, ...data.env, TO: join(folder, 'piped'), BIN: bin }
    const pipe = '"$BIN" backup - --without-secrets | PORTHOUSE_DATA="$TO" "$BIN" restore -'
    const said = execFileSync('sh', ['-c', pipe], { env, encoding: 'utf8', stdio: 'pipe' })
    expect(said).toContain('1 accounts')
    expect(said).toContain('without secrets')
    expect(await json(['token', 'list', 'acme'], { env: elsewhere('piped') })).toEqual([])
  })

  it('while the store is in use, or of a damaged file, is refused', async () => {
    const file = join(folder, 'whole')
    await json(['backup', file], { env: data.env })
    const used = await porthouse(['restore', file, '--replace', '--json'], { env: data.env })
    expect(used.code).toBe(4)
    expect(JSON.parse(used.stderr)).toMatchObject({ error: { code: 'UNAVAILABLE' } })
    const bytes = readFileSync(file)
    const cut = join(folder, 'cut')
    writeFileSync(cut, bytes.subarray(0, bytes.length - 1))
    const env = elsewhere('untouched')
    const damaged = await porthouse(['restore', cut, '--json'], { env })
    expect(damaged.code).toBe(1)
    expect(JSON.parse(damaged.stderr)).toMatchObject({ error: { code: 'INVALID' } })
    const none = await porthouse(['restore', join(folder, 'nowhere'), '--json'], { env })
    expect(JSON.parse(none.stderr)).toMatchObject({ error: { code: 'ENOENT' } })
    expect(existsSync(env.PORTHOUSE_DATA)).toBe(false)
  })
})
