/** Completion, as bash does it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { commandLine } from '../../gateway/cli/program.ts'
import { TestGateway } from '../support/gateway.ts'
import { bin, porthouse } from './process.ts'

const execute = promisify(execFile)

const folder = mkdtempSync(join(tmpdir(), 'porthouse-completion-'))
const script = join(folder, 'porthouse.bash')

let gateway: TestGateway
beforeAll(async () => {
  gateway = await TestGateway.start()
  for (const room of ['acme/board', 'acme/boiler', 'other/hall']) await gateway.room(room)
  await gateway.store.clients.create({ account: 'acme', slug: 'bob', grants: [] })
  writeFileSync(script, (await porthouse(['completion', 'bash'])).stdout)
})
afterAll(async () => {
  await gateway?.stop()
  rmSync(folder, { recursive: true })
})

/** What the tab key offers after these words, of which the last is not ended. */
async function offered(...words: string[]): Promise<string[]> {
  const ask = `. ${script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _porthouse
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { PATH: process.env.PATH, PORTHOUSE_URL: gateway.url, PORTHOUSE_DATA: gateway.data }
  const { stdout } = await execute('bash', ['-c', ask, 'bash', bin, ...words], { env })
  return stdout.split('\n').filter((line) => line !== '')
}

it.each<[words: string[], offers: string[]]>([
  [['acc'], ['account']],
  [
    ['account', ''],
    ['create', 'list', 'show', 'delete', 'key', '--help'],
  ],
  [
    ['account', 'key', 'r'],
    ['rotate', 'revoke'],
  ],
  [['room', 'create', 'acme/new', '--his'], ['--history']],
  [
    ['room', 'create', 'acme/new', '--history', ''],
    ['none', 'window', 'durable'],
  ],
  [['backup', `${folder}/port`], []],
  [['run', '--config', `${folder}/port`], [script]],
  [['account', 'show', 'ac'], ['acme']],
  [['room', 'show', 'ac'], ['acme/']],
  [
    ['room', 'show', 'acme/bo'],
    ['acme/board', 'acme/boiler'],
  ],
  [['client', 'show', 'acme/'], ['acme/bob']],
  [['room', 'show', '--da'], ['--data']],
])('after %j bash offers %j', async (words, offers) => {
  expect(await offered(...words)).toEqual(offers)
})

it('offers no names where no gateway answers', async () => {
  const env = { PORTHOUSE_DATA: folder, XDG_CONFIG_HOME: folder }
  const { stdout, code } = await porthouse(['completion', 'names', 'account'], { env })
  expect({ stdout, code }).toEqual({ stdout: '', code: 0 })
})

it.each(['bash', 'zsh', 'fish'])('knows every command and option in %s', async (shell) => {
  const { stdout } = await porthouse(['completion', shell])
  const missing = wordsOf(commandLine()).filter((word) => !stdout.includes(word))
  expect(missing).toEqual([])
})

function wordsOf(command: Command): string[] {
  const options = command.options.map(({ long }) => long!.slice(2))
  return [command.name(), ...options, ...command.commands.flatMap(wordsOf)]
}
