import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { main } from '../../gateway/cli/program.ts'
import { bin, json, porthouse } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'porthouse-usage-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('help', () => {
  it.each([
    [['--help'], ['run', 'config', 'account', 'room', 'client', 'token', 'lock', 'offender']],
    [['--help'], ['connect', 'send', 'listen']],
    [
      ['client', 'create', '--help'],
      ['--ssh-key', '--password-stdin', '--preset -', '--room', '--max-sockets'],
    ],
    [
      ['token', 'create', '--help'],
      ['--method', 'protobuf', '--rate', '--max-connections', 'admit'],
    ],
    [
      ['account', 'key', '--help'],
      ['create', 'list', 'rotate', 'revoke', 'overlap'],
    ],
    [
      ['lock', 'explain', '--help'],
      ['--as', '--token-id', '--key', 'lobby:ACCOUNT'],
    ],
    [
      ['run', '--help'],
      ['--http', '--mqtt', '--data', '--features', '--log', '--demo'],
    ],
    [
      ['room', 'create', '--help'],
      ['--open', '--lock', '--echo', '--slow', 'drop-oldest'],
    ],
    [
      ['send', '--help'],
      ['PORTHOUSE_URL', 'PORTHOUSE_TOKEN', '--lines', 'Examples:'],
    ],
  ])('of %j is on stdout and names what there is', async (args, words) => {
    const { code, stdout, stderr } = await porthouse(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const word of words) expect(stdout).toContain(word)
  })

  it('is shown where no command is given, and that is a wrong usage', async () => {
    const { code, stderr } = await porthouse([])
    expect(code).toBe(2)
    expect(stderr).toContain('Messages:')
  })
})

it('ends without a word when its reader has had enough', async () => {
  const command = spawn(bin, ['config'], { stdio: ['ignore', 'pipe', 'pipe'] })
  command.stdout.destroy()
  let complaint = ''
  command.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  await once(command, 'close')
  expect(complaint).toBe('')
})

describe('a wrong command line', () => {
  it.each([
    [['sned'], 'Did you mean send?'],
    [['send', 'demo/hello'], 'say what to send'],
    [['send', 'demo/hello', 'x', '--level', 'none'], 'accepted, routed, stored'],
    [['send', 'demo/hello', '--lines', '--key', 'k'], '--key is for one message'],
    [['send', 'demo/Hello', 'x'], 'ADDRESS_INVALID'],
    [['send', 'ws://127.0.0.1:1/v1/ws', 'x'], 'names no room'],
    [['listen', 'demo/hello', '--count', '0'], '--count 0'],
    [['listen', 'demo/hello', '--timeout', 'soon'], '--timeout soon'],
    [['listen', 'demo/hello', '--text', '--json'], 'exclude each other'],
    [['account', 'create', 'Acme'], 'upper-case'],
    [['room', 'create', 'acme'], 'ACCOUNT/ROOM'],
    [['room', 'create', 'acme/x', '--open', '--lock', 'token'], 'exclude each other'],
    [['token', 'create', 'acme', '--room', 'x:read'], 'ROOM:send,receive'],
    [['token', 'create', 'acme', '--room', 'x:send', '--expires', '2001-01-01'], 'in the past'],
    [['token', 'create', 'acme', '--room', 'x:'], 'ROOM:send,receive'],
    [['token', 'create', 'acme', '--room', 'x:send:'], 'a channel is empty'],
    [['token', 'create', 'acme', '--room', 'x:send:a#'], 'ADDRESS_INVALID'],
    [['token', 'create', 'acme', '--room', 'X:send'], 'upper-case'],
    [['token', 'create', 'acme', '--room', 'x:send', '--method', 'xml'], 'text, binary, json'],
    [['token', 'create', 'acme', '--room', 'x:send', '--rate', '10'], '10/s:20'],
    [['token', 'create', 'acme', '--room', 'x:send', '--rate', '0/s'], '--rate 0/s'],
    [['token', 'create', 'acme', '--room', 'x:send', '--rate', '1/s:0'], '--rate 1/s:0'],
    [['token', 'create', 'acme', '--room', 'x:send', '--rate', '9999999/s'], '1,000,000'],
    [['token', 'create', 'acme', '--room', 'x:send', '--max-connections', '0'], 'from 1 to'],
    [['token', 'create', 'acme', '--room', 'x:send', '--max-connections', '1e3'], 'from 1 to'],
    [['token', 'create', 'acme', '--room', 'x:send', '--client', 'Bob'], 'upper-case'],
    [['token', 'grant', 'not-an-id', '--room', 'x:send'], 'by its id'],
    [['token', 'ungrant', crypto.randomUUID(), 'a/b'], 'ADDRESS_INVALID'],
    [['token', 'update', crypto.randomUUID()], 'say what to change'],
    [['token', 'update', crypto.randomUUID(), '--rate', '0/s'], '--rate 0/s'],
    [['api-key', 'create', 'acme'], "required option '--role"],
    [['api-key', 'create', 'acme', '--role', 'king'], 'operator, owner, admin, auditor'],
    [['audit', 'list', '--last', 'x'], '--last x'],
    [['account', 'list', '--url', 'x'], 'write http://HOST:PORT'],
    [['account', 'list', '--url', 'http://h', '--profile', 'p'], 'exclude each other'],
    [['login', '--url', 'http://127.0.0.1:1', '--profile', 'A b'], 'no name of a profile'],
    [['token', 'regenerate'], "missing required argument 'id'"],
    [['account', 'key', 'create', 'acme', '--expires', 'soon'], '--expires soon'],
    [['account', 'key', 'create', 'acme', '--label', 'a\nb'], 'control characters'],
    [['account', 'key', 'create', 'acme', '--label', 'x'.repeat(129)], 'over 128'],
    [['account', 'key', 'rotate', 'acme', crypto.randomUUID(), '--overlap', '1'], '--overlap 1'],
    [['account', 'key', 'revoke', 'acme', 'x'], 'by its id'],
    [['client', 'create', 'bob'], 'ACCOUNT/CLIENT'],
    [['client', 'create', 'acme/Bob'], 'upper-case'],
    [['client', 'create', 'acme/bob', '--max-sockets', '-1'], '--max-sockets -1'],
    [['client', 'create', 'acme/bob', '--ssh-key', '/nonexistent.pub'], '--ssh-key'],
    [['client', 'create', 'acme/bob', '--password-stdin', '--preset', '-'], 'one stdin'],
    [['client', 'create', 'acme/bob', '--preset', 'answer'], 'CHALLENGE:RESPONSE'],
    [['client', 'grant', 'acme/bob'], "required option '--room"],
    [['client', 'key', 'add', 'acme/bob'], 'say what to add'],
    [['client', 'key', 'remove', 'acme/bob', 'x'], 'by its id'],
    [['lock', 'explain', 'socket:aaaaaaaaaaaaaaaa'], 'no place to enter'],
    [['lock', 'explain', 'acme/x', '--as', 'Bob'], 'upper-case'],
    [['lock', 'explain', 'acme/x', '--token-id', 'x'], 'by its id'],
    [['offender', 'clear'], '--all'],
    [['offender', 'clear', '10.0.0.1'], 'address: or identity:'],
    [['room', 'config', 'set', 'acme/x', '/nonexistent.json'], "is not a room's config"],
    [['run', '--http', '8080'], 'HOST:PORT'],
    [['run', '--config', '/nonexistent.json'], 'cannot be read'],
  ])('%j exits with 2 and says what is wrong', async (args, words) => {
    // In this process, for there are many and each ends before it does anything.
    const said: string[] = []
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said.push(String(text))
      return true
    })
    await main(args)
    spy.mockRestore()
    const code = process.exitCode
    process.exitCode = 0
    expect(code).toBe(2)
    expect(said.join('')).toContain(words)
  })

  it('is an object on stderr with --json', async () => {
    const { code, stderr } = await porthouse(['account', 'create', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'USAGE', message: "missing required argument 'name'" },
    })
  })
})

describe('porthouse config', () => {
  it('prints each value with its source', async () => {
    const file = join(folder, 'porthouse.json')
    writeFileSync(file, '{"drainMs":7,"databaseUrl":"postgres://u:secret@h/d"}')
    const env = { PORTHOUSE_LOG: 'warn', PORTHOUSE_DATA: folder }
    const args = ['config', '--config', file, '--http', '[::1]:0']
    const all = await json<Record<string, unknown>>(args, { env })
    expect(all).toMatchObject({
      'http.listen': { value: '[::1]:0', source: '--http' },
      log: { value: 'warn', source: 'PORTHOUSE_LOG' },
      data: { value: folder, source: 'PORTHOUSE_DATA' },
      drainMs: { value: 7, source: file },
      heartbeatMs: { value: 25_000, source: 'default' },
      databaseUrl: { value: 'postgres://u:***@h/d', source: file },
    })
    const { stdout } = await porthouse(args, { env })
    expect(stdout).toMatch(/^http\.listen +\[::1\]:0 +--http$/m)
    expect(stdout).not.toContain('secret')
  })

  it('keeps data in the clone where nothing else is said', async () => {
    const { data } = await json<{ data: { value: string } }>(['config'])
    expect(data.value).toBe(join(bin, '../../.porthouse'))
  })
})

describe('bin/porthouse', () => {
  it('works through a symbolic link and from any folder', async () => {
    mkdirSync(join(folder, 'links'))
    symlinkSync(bin, join(folder, 'links/absolute'))
    symlinkSync('absolute', join(folder, 'links/relative'))
    const command = join(folder, 'links/relative')
    const { code, stdout } = await porthouse(['--version'], { command, cwd: folder })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('says what to do where the dependencies or Node are missing', async () => {
    const clone = join(folder, 'a clone')
    mkdirSync(join(clone, 'bin'), { recursive: true })
    cpSync(bin, join(clone, 'bin/porthouse'))
    const command = join(clone, 'bin/porthouse')
    const bare = await porthouse(['--version'], { command })
    expect(bare.code).toBe(1)
    expect(bare.stderr).toContain(`run make setup in ${clone}`)
    mkdirSync(join(clone, 'node_modules/commander'), { recursive: true })
    mkdirSync(join(clone, 'old'))
    writeFileSync(join(clone, 'old/node'), '#!/bin/sh\necho v22.17.9\n', { mode: 0o755 })
    const old = await porthouse(['--version'], {
      command,
      env: { PATH: `${join(clone, 'old')}:/usr/bin:/bin` },
    })
    // There may be a newer Node behind the old one, but the first on the PATH counts.
    expect(old.code).toBe(1)
    expect(old.stderr).toContain('22.18')
  })
})
