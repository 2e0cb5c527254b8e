import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../clients/ts/src/index.ts'
import { newConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { newPassword } from '../../gateway/identity/passwords.ts'
import { TestGateway } from '../support/gateway.ts'

const samples = new URL('../../clients/ts/samples/', import.meta.url).pathname

let gateway: TestGateway
let pages: Server
let browser: Browser
let script: string
let tableScript: string
let loginScript: string

/** A page that proves a client and an account, and says which rooms it may send to. */
const LOGINS = `
  import { connect, connectionKey, password } from '../../clients/ts/src/index.ts'
  const { url, key, word } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
  for (const answerer of [
    password({ client: 'demo/anna', password: word }),
    connectionKey(key),
  ]) {
    const client = await connect(url + '/demo/locked', { locks: [answerer] })
    document.body.append(answerer.acceptor + ' ' + client.entered.maySend + '. ')
    await client.close()
  }
  await connect(url, { locks: [connectionKey(key.slice(0, -4) + 'AAAA')] }).catch(({ code }) =>
    document.body.append(code),
  )
`

beforeAll(async () => {
  const bundling = build({
    entryPoints: [`${samples}page.ts`, `${samples}table.ts`],
    outdir: '/nowhere',
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  })
  gateway = await TestGateway.start()
  await gateway.room('demo/hello')
  const { outputFiles } = await bundling
  script = outputFiles[0]!.text
  tableScript = outputFiles[1]!.text
  const logins = await build({
    stdin: { contents: LOGINS, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  })
  loginScript = logins.outputFiles[0]!.text
  pages = createServer((request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname
    const scripts = { '/page.js': script, '/logins.js': loginScript, '/table.js': tableScript }
    const code = scripts[path as keyof typeof scripts]
    response.setHeader('content-type', code ? 'text/javascript' : 'text/html')
    const src = path === '/' ? '/page.js' : `${path}.js`
    response.end(code ?? `<body><script type="module" src="${src}"></script>`)
  })
  await once(pages.listen(0, '127.0.0.1'), 'listening')
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
}, 60_000)

afterAll(async () => {
  await browser?.close()
  pages?.close()
  await gateway?.stop()
})

test('the client of a page holds nothing of Node', () => {
  for (const each of [script, loginScript, tableScript])
    expect(each).not.toMatch(/from ["']node:|require\(/)
})

test('a page logs in by password and by connection key', async () => {
  const locks = ['password', 'key'].map((acceptor) => ({
    kind: { case: 'lock', value: { acceptor } },
  }))
  const flow = { kind: { case: 'any', value: { flows: locks } } }
  await gateway.room('demo/locked', [{ case: 'access', value: { locks: [], flow } as never }])
  const grants = [{ room: 'locked', send: true }]
  await gateway.store.clients.create({ account: 'demo', slug: 'anna', grants })
  const id = randomUUID()
  const { secret, data } = newConnectionKey(id, randomBytes(32), randomBytes(16))
  const word = '7 Äpfel'
  const stored = await newPassword(word, randomBytes(16))
  const facts = { account: 'demo', label: '' }
  const { credentials } = gateway.store
  const ofAnna = { ...facts, id: randomUUID(), kind: 'password', client: 'anna' } as const
  await credentials.add({ ...ofAnna, data: { ...stored } })
  await credentials.add({ ...facts, id, kind: 'connection-key', data: { ...data } })
  const page = await browser.newPage()
  const { port } = pages.address() as AddressInfo
  const hash = new URLSearchParams({ url: gateway.url, key: secret, word })
  await page.goto(`http://127.0.0.1:${port}/logins#${hash}`)
  await page.waitForFunction(() => document.body.textContent.includes('UNAUTHENTICATED'))
  expect(await page.textContent('body')).toBe('password true. key true. UNAUTHENTICATED')
})

test('a page sends, is told how many got it, and hears the answer', async () => {
  const token = await gateway.token('demo', ['hello'])
  await using bob = await connect(gateway.url, { token })
  const messages = (await bob.join('demo/hello')).messages()
  const page = await browser.newPage()
  const faults: unknown[] = []
  page.on('pageerror', (error) => faults.push(error))
  const { port } = pages.address() as AddressInfo
  const hash = new URLSearchParams({ url: gateway.url, address: 'demo/hello', token })
  await page.goto(`http://127.0.0.1:${port}/#${hash}`)
  const { value: hello } = await messages.next()
  expect(hello.text).toBe('hello')
  await bob.send('demo/hello', 'hello yourself')
  await page.waitForFunction(() => document.body.textContent.includes('yourself'))
  expect(await page.textContent('body')).toBe(`ROUTED to 1, ${bob.socket}: hello yourself`)
  expect(faults).toEqual([])
})

test('a table of 200 cells, each a channel, shows their last values and updates', async () => {
  const retained = { case: 'retained', value: { values: 2 } } as never
  await gateway.room('demo/table', [retained])
  const token = await gateway.token('demo', ['table'])
  await using writer = await connect(gateway.url, { token })
  const table = await writer.join('demo/table', { sendOnly: true })
  const channels = Array.from({ length: 200 }, (_, index) => {
    return `${'abcdefghij'[index % 10]}${Math.floor(index / 10) + 1}`
  })
  const write = (text: string) =>
    Promise.all(channels.map((channel) => table.send(`${text} ${channel}`, { channel })))
  await write('old')
  const page = await browser.newPage()
  const { port } = pages.address() as AddressInfo
  const hash = new URLSearchParams({ url: gateway.url, address: 'demo/table', token })
  await page.goto(`http://127.0.0.1:${port}/table#${hash}`)
  const shows = (text: string) =>
    page.waitForFunction((begin) => {
      const cells = [...document.querySelectorAll('td')]
      return cells.length === 200 && cells.every((cell) => cell.textContent?.startsWith(begin))
    }, text)
  await shows('old ')
  await write('new')
  await shows('new ')
  expect(await page.textContent('td')).toBe('new a1')
})
