import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../clients/ts/src/index.ts'
import { TestGateway } from '../support/gateway.ts'

const sample = new URL('../../clients/ts/samples/page.ts', import.meta.url).pathname

let gateway: TestGateway
let pages: Server
let browser: Browser
let script: string

beforeAll(async () => {
  const bundling = build({
    entryPoints: [sample],
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
  pages = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<body><script type="module" src="/page.js"></script>')
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
  expect(script).not.toMatch(/from ["']node:|require\(/)
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
