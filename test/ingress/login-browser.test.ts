/** The whole dance in a real browser: a page logs in, and enters a room by the cookie (issue 4). */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { TestGateway } from '../support/gateway.ts'
import { OpenIdProvider } from '../support/openid-provider.ts'
import { WebServer } from '../support/web-server.ts'

let gateway: TestGateway
let provider: OpenIdProvider
let pages: WebServer
let strangers: WebServer
let browser: Browser
let context: BrowserContext

function html(): Promise<WebServer> {
  return WebServer.start((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>page</title>')
  })
}

beforeAll(async () => {
  pages = await html()
  strangers = await html()
  gateway = await TestGateway.start({ http: { origins: [pages.url] } })
  const redirect_uris = [`http://127.0.0.1:${gateway.port}/v1/login/callback`]
  provider = await OpenIdProvider.start([{ client_id: 'hub', redirect_uris }])
  const options = { issuer: provider.issuer, client_id: 'hub' }
  const lock = (acceptor: string, options: object) => ({
    kind: { case: 'lock', value: { acceptor, options } },
  })
  const access = (value: object) => [{ case: 'access', value: { locks: [], ...value } }] as never
  await gateway.room('acme/boiler', access({ flow: lock('oidc', options) }))
  const either = { flows: [lock('cookie', {}), lock('token', {})] }
  await gateway.room('acme/any', access({ flow: { kind: { case: 'any', value: either } } }))
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await gateway?.stop()
  for (const server of [provider, pages, strangers]) await server?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  context = await browser.newContext()
})
afterEach(() => context.close())

/** The gateway's frames until the socket joins a room, is asked something, or is closed. */
function enter(page: Page, room: string): Promise<string[]> {
  return page.evaluate(
    (url) =>
      new Promise<string[]>((resolve) => {
        const heard: string[] = []
        const socket = new WebSocket(url, 'porthouse.v1.json')
        socket.onopen = () => socket.send('{"frames":[{"id":1,"hello":{}}]}')
        socket.onclose = ({ code }) => resolve([...heard, `closed ${code}`])
        socket.onmessage = ({ data }) => {
          heard.push(data)
          if (/"joined"|"challenge"/.test(data)) resolve(heard)
        }
      }),
    `${gateway.url}/${room}`,
  )
}

async function logIn(page: Page): Promise<void> {
  const query = new URLSearchParams({ return_to: `${pages.url}/in` })
  await page.goto(`http://127.0.0.1:${gateway.port}/v1/login/acme/boiler?${query}`)
  await page.fill('input[name=login]', 'alice')
  await page.fill('input[name=password]', 'anything')
  await page.click('button[type=submit]')
  await page.click('button[type=submit]')
  await page.waitForURL(`${pages.url}/in`)
}

test('a page that has logged in enters the room; before, it is asked who it is', async () => {
  const page = await context.newPage()
  await page.goto(pages.url)
  expect((await enter(page, 'acme/boiler')).join()).toContain('"challenge"')
  await logIn(page)
  for (const room of ['acme/boiler', 'acme/any']) {
    expect((await enter(page, room)).join()).toMatch(/"joined"/)
  }
  const [cookie] = (await context.cookies(`http://127.0.0.1:${gateway.port}`)).filter(
    ({ name }) => name === 'porthouse_login',
  )
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' })
  expect(await page.evaluate(() => document.cookie)).toBe('')
})

test('another page of the same machine gets nowhere by its cookie (H5)', async () => {
  const page = await context.newPage()
  await logIn(page)
  await page.goto(strangers.url)
  const heard = (await enter(page, 'acme/boiler')).join()
  expect(heard).not.toContain('"joined"')
  expect(heard).toContain('"challenge"')
})

test('a page that has logged out is asked again', async () => {
  const page = await context.newPage()
  await logIn(page)
  const logout = `http://127.0.0.1:${gateway.port}/v1/logout`
  await page.evaluate(async (url) => {
    await fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' })
  }, logout)
  expect((await enter(page, 'acme/boiler')).join()).toContain('"challenge"')
})
