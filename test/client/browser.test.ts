/** The client's samples for pages, and logins there, against a real gateway. */
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../clients/ts/src/index.ts'
import { newConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { newPassword } from '../../gateway/identity/passwords.ts'
import { TestGateway } from '../support/gateway.ts'
import { bundle, shows, WebPages } from '../support/web-pages.ts'

const samples = new URL('../../clients/ts/samples/', import.meta.url).pathname

let gateway: TestGateway
let pages: WebPages

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
  gateway = await TestGateway.start()
  await gateway.room('demo/hello')
  pages = await WebPages.start()
}, 60_000)
afterAll(async () => {
  await pages?.[Symbol.asyncDispose]()
  await gateway?.stop()
})

const sample = async (name: string) =>
  bundle(await readFile(`${samples}${name}.ts`, 'utf8'), samples)

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
  const script = await bundle(LOGINS, import.meta.dirname)
  const page = await pages.open(script, { url: gateway.url, key: secret, word })
  await shows(page, 'UNAUTHENTICATED')
  expect(await page.textContent('body')).toBe('password true. key true. UNAUTHENTICATED')
})

test('a page sends, is told how many got it, and hears the answer', async () => {
  const token = await gateway.token('demo', ['hello'])
  await using bob = await connect(gateway.url, { token })
  const messages = (await bob.join('demo/hello')).messages()
  const page = await pages.open(await sample('page'), {
    url: gateway.url,
    address: 'demo/hello',
    token,
  })
  const { value: hello } = await messages.next()
  expect(hello.text).toBe('hello')
  await bob.send('demo/hello', 'hello yourself')
  await shows(page, 'yourself')
  expect(await page.textContent('body')).toBe(`ROUTED to 1, ${bob.socket}: hello yourself`)
  expect(pages.faults).toEqual([])
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
  const page = await pages.open(await sample('table'), {
    url: gateway.url,
    address: 'demo/table',
    token,
  })
  const filled = (text: string) =>
    page.waitForFunction((begin) => {
      const cells = [...document.querySelectorAll('td')]
      return cells.length === 200 && cells.every((cell) => cell.textContent?.startsWith(begin))
    }, text)
  await filled('old ')
  await write('new')
  await filled('new ')
  expect(await page.textContent('td')).toBe('new a1')
})
