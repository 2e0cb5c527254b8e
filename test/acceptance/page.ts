/** A page in a browser that is in a room: it shows what it hears, and says what it is told to. */
import type { Page as Tab } from 'playwright-core'
import { bundle, shows, WebPages } from '../support/web-pages.ts'

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
  readonly #pages: WebPages
  readonly #tab: Tab

  static async open(
    url: string,
    place: string,
    token: string,
    by: keyof typeof SCRIPTS = 'client',
  ): Promise<Page> {
    const script = await bundle(SCRIPTS[by], import.meta.dirname)
    const pages = await WebPages.start()
    const tab = await pages.open(script, { url, place, token })
    await shows(tab, 'listening')
    return new Page(pages, tab)
  }

  private constructor(pages: WebPages, tab: Tab) {
    this.#pages = pages
    this.#tab = tab
  }

  say(channel: string, text: string): Promise<unknown> {
    return this.#tab.evaluate(`window.say(${JSON.stringify(channel)}, ${JSON.stringify(text)})`)
  }

  /** `said` is CHANNEL: TEXT. */
  hears(said: string): Promise<unknown> {
    return shows(this.#tab, `[${said}]`)
  }

  async close(): Promise<void> {
    await this.#pages[Symbol.asyncDispose]()
  }
}
