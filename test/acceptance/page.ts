/** A page in a browser that is in a room: it shows what it hears, and says what it is told to. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import { type Browser, chromium, type Page as Tab } from 'playwright-core'

const CLIENT = `
  import { connect } from '../../clients/ts/src/index.ts'
  const { url, place, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
  const client = await connect(url, { token })
  const room = await client.join(place)
  window.say = (channel, text) => room.send(text, { channel })
  document.body.append('listening ')
  for await (const message of room.messages()) {
    const text = message.text ?? new TextDecoder().decode(message.payload)
    document.body.append('[' + message.channel + ': ' + text + '] ')
  }
`

const MQTT = `
  import mqtt from 'mqtt'
  const { url, place, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
  const login = { username: place.split('/')[0], password: token }
  const client = await mqtt.connectAsync(url + '/mqtt', { protocolVersion: 5, ...login })
  client.on('message', (topic, payload) => {
    document.body.append('[' + topic.slice(place.length + 1) + ': ' + payload + '] ')
  })
  await client.subscribeAsync(place + '/#', { qos: 1, nl: true })
  window.say = (channel, text) => client.publishAsync(place + '/' + channel, text, { qos: 1 })
  document.body.append('listening ')
`

/** By @porthouse/client, or by MQTT.js over WebSocket. */
const SCRIPTS = { client: CLIENT, mqtt: MQTT }

export class Page {
  readonly #browser: Browser
  readonly #server: Server
  readonly #tab: Tab

  static async open(
    url: string,
    place: string,
    token: string,
    by: keyof typeof SCRIPTS = 'client',
  ): Promise<Page> {
    const { outputFiles } = await build({
      stdin: { contents: SCRIPTS[by], resolveDir: import.meta.dirname, loader: 'ts' },
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
    })
    const script = outputFiles[0]!.text
    const server = createServer((request, response) => {
      const isScript = request.url === '/page.js'
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
      response.end(isScript ? script : '<body><script type="module" src="/page.js"></script>')
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    })
    const tab = await browser.newPage()
    const { port } = server.address() as AddressInfo
    const hash = new URLSearchParams({ url, place, token })
    await tab.goto(`http://127.0.0.1:${port}/#${hash}`)
    const page = new Page(browser, server, tab)
    await page.#shows('listening')
    return page
  }

  private constructor(browser: Browser, server: Server, tab: Tab) {
    this.#browser = browser
    this.#server = server
    this.#tab = tab
  }

  say(channel: string, text: string): Promise<unknown> {
    return this.#tab.evaluate(`window.say(${JSON.stringify(channel)}, ${JSON.stringify(text)})`)
  }

  /** `said` is CHANNEL: TEXT. */
  hears(said: string): Promise<unknown> {
    return this.#shows(`[${said}]`)
  }

  async close(): Promise<void> {
    await this.#browser.close()
    this.#server.close()
  }

  #shows(text: string): Promise<unknown> {
    return this.#tab.waitForFunction(`document.body.innerText.includes(${JSON.stringify(text)})`)
  }
}
