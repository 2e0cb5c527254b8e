/** A person with a browser, as far as logging in needs one: cookies, redirects and forms. */

export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

interface Cookie {
  readonly origin: string
  readonly path: string
  readonly name: string
  readonly value: string
}

const STEPS_MAX = 30

export class Visitor {
  readonly #name: string
  #cookies: Cookie[] = []

  /** Logs in by this name wherever asked. */
  constructor(name: string) {
    this.#name = name
  }

  /** What it would send to a URL. */
  cookiesFor(url: string): string {
    const { origin, pathname } = new URL(url)
    return this.#cookies
      .filter((each) => each.origin === origin && pathname.startsWith(each.path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  /**
   * Goes there, follows redirects and fills in forms until neither is left, or the next page is one
   * that `stop` names; then that redirect is the result.
   */
  async visit(url: string, stop: (location: string) => boolean = () => false): Promise<Page> {
    let page = await this.get(url)
    for (let step = 0; step < STEPS_MAX; step++) {
      const location = page.headers.get('location')
      const form = /<form[\s\S]*?<\/form>/.exec(page.body)?.[0]
      if (location !== null) {
        const next = new URL(location, page.url).href
        if (stop(next)) return page
        page = await this.get(next)
      } else if (form) {
        page = await this.#submit(page.url, form)
      } else {
        return page
      }
    }
    throw new Error(`no end at ${page.url}`)
  }

  /** One request, not redirected. */
  async get(url: string, init: RequestInit = {}): Promise<Page> {
    const headers = { ...init.headers, cookie: this.cookiesFor(url) }
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) this.#keep(url, line)
    const { status } = response
    return { url, status, headers: response.headers, body: await response.text() }
  }

  #submit(base: string, form: string): Promise<Page> {
    const action = /action="([^"]*)"/.exec(form)?.[1] ?? ''
    const fields = new URLSearchParams()
    for (const [input] of form.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(input)?.[1]
      if (name) fields.set(name, /value="([^"]*)"/.exec(input)?.[1] ?? this.#name)
    }
    return this.get(new URL(action, base).href, { method: 'POST', body: fields })
  }

  #keep(url: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const equals = pair.indexOf('=')
    const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)]
    const attribute = (key: string) =>
      attributes.find((each) => each.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1)
    const path = attribute('path') ?? '/'
    const { origin } = new URL(url)
    const same = (each: Cookie) =>
      each.origin === origin && each.path === path && each.name === name
    this.#cookies = this.#cookies.filter((each) => !same(each))
    const expires = attribute('expires')
    const gone = attribute('max-age') === '0' || (expires && Date.parse(expires) <= Date.now())
    if (!gone) this.#cookies.push({ origin, path, name, value })
  }
}
