import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { DataFolder, json, porthouse, Running } from './process.ts'

let data: DataFolder
const running: Running[] = []

beforeAll(async () => {
  data = await DataFolder.open()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop('SIGKILL')))
})
afterAll(() => data.close())

/** A gateway, and where it listens. */
async function run(...args: string[]): Promise<{ gateway: Running; url: string; pid: number }> {
  const gateway = new Running(['run', '--http', '127.0.0.1:0', ...args], { env: data.env })
  running.push(gateway)
  const listens = /^porthouse listens on (http:\S+) \(WebSocket (ws:\S+)\)$/m
  const [, , url] = listens.exec(await gateway.says(listens))!
  return { gateway, url: url!, pid: gateway.process.pid! }
}

describe('porthouse run', () => {
  it('listens, serves while other commands use its data, and ends in order', async () => {
    const { gateway, url } = await run()
    const env = { ...data.env, PORTHOUSE_URL: url }
    await json(['account', 'create', 'acme'], { env })
    await json(['room', 'create', 'acme/boiler'], { env })
    const { secret } = await json<{ secret: string }>(
      ['token', 'create', 'acme', '--room', 'boiler:send,receive'],
      { env },
    )
    const receipt = await json(['send', 'acme/boiler', 'x', '--token', secret], { env })
    expect(receipt).toMatchObject({ status: 'VOID' })
    expect((await fetch(`${url.replace('ws', 'http')}/healthz`)).status).toBe(200)
    const { code, stderr } = await gateway.stop('SIGTERM')
    expect(code).toBe(0)
    const log = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string })
    const own = log.map(({ msg }) => msg).filter((msg) => msg !== 'administered')
    expect(own).toEqual(['listening', 'draining', 'ended'])
    expect(stderr).not.toContain(secret)
  })

  it('does not start where others could reach its administration without TLS', async () => {
    const { code, stdout, stderr } = await porthouse(['run', '--http', '0.0.0.0:0'], {
      env: data.env,
    })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^porthouse: http\.listen is "0\.0\.0\.0:0", .* admin\.insecure\n$/)
  })

  it('says where else it listens', async () => {
    const apart = { PORTHOUSE_ADMIN_LISTEN: '127.0.0.1:0', PORTHOUSE_METRICS_LISTEN: '127.0.0.1:0' }
    const gateway = new Running(['run', '--http', '0.0.0.0:0', '--mqtt', 'off'], {
      env: { ...data.env, ...apart },
    })
    running.push(gateway)
    const [, admin] = /^administration on (http:\S+)$/m.exec(await gateway.says(/^admin.*$/m))!
    const [, metrics] = /^metrics on (http:\S+)$/m.exec(await gateway.says(/^metrics.*$/m))!
    expect((await fetch(`${admin}/healthz`)).status).toBe(200)
    expect((await fetch(metrics!)).status).toBe(200)
  })

  it('tells its sockets to come back, and they do', async () => {
    const { gateway, url } = await run('--demo')
    const [, secret] = /--token (\S+)/.exec(await gateway.says(/--token \S+/))!
    const options = { env: { PORTHOUSE_URL: url, PORTHOUSE_TOKEN: secret! } }
    const listening = new Running(['listen', 'demo/hello', '--count', '1', '--text'], options)
    running.push(listening)
    await listening.says('listening', 'stderr')
    const fragile = new Running(['listen', 'demo/hello', '--no-reconnect'], options)
    running.push(fragile)
    await fragile.says('listening', 'stderr')
    await gateway.stop('SIGINT')
    await listening.says('connection lost (DRAINING)', 'stderr')
    const gone = await fragile.ended
    expect(gone.code).toBe(4)
    expect(gone.stderr).toContain('porthouse: DRAINING')
    await run('--http', new URL(url).host)
    await listening.says('connected again', 'stderr')
    await porthouse(['send', 'demo/hello', 'back'], options)
    expect(await listening.ended).toMatchObject({ code: 0, stdout: 'back\n' })
  })

  it('ends at once at the second signal', async () => {
    // A database that never answers keeps the start busy.
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const env = { ...data.env, DATABASE_URL: `postgres://127.0.0.1:${port}/none` }
    const gateway = new Running(['run', '--http', '127.0.0.1:0'], { env })
    running.push(gateway)
    await once(silent, 'connection')
    // Two of the same kind could reach it as one.
    gateway.process.kill('SIGTERM')
    expect(await gateway.stop('SIGINT')).toMatchObject({ code: 1, stdout: '' })
    silent.close()
  })

  it('says in one line that its port is taken', async () => {
    const { url } = await run()
    const { host } = new URL(url)
    const second = await porthouse(['run', '--http', host], { env: data.env })
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.stderr).toBe(
      `porthouse: ${host} is in use; choose another with --http HOST:PORT\n`,
    )
  })

  it('is the process that bin/porthouse was', async () => {
    const { pid, gateway } = await run()
    process.kill(pid, 'SIGTERM')
    expect((await gateway.ended).code).toBe(0)
  })
})

describe('--demo', () => {
  it('makes one room and one token, however often it starts', async () => {
    const secrets = []
    for (let start = 0; start < 2; start++) {
      const { gateway } = await run('--demo')
      const [, secret] = /--token (\S+)/.exec(await gateway.says(/connect .*--token \S+/))!
      secrets.push(secret)
      await gateway.stop()
    }
    expect(secrets[1]).toBe(secrets[0])
    expect(await data.store.tokens.list('demo')).toHaveLength(1)
    const file = join(data.path, 'demo-token')
    expect(readFileSync(file, 'utf8')).toBe(`${secrets[0]}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    writeFileSync(file, 'spoilt')
    const { gateway } = await run('--demo')
    await gateway.says(/--token pht_/)
    expect(await data.store.tokens.list('demo')).toHaveLength(2)
  })
})
