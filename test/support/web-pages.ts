/** Programs as pages run them: bundled for a browser, and opened in headless Chromium. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'

/** `folder`: where its imports are looked up from. Whatever only Node has is an error. */
export async function bundle(program: string, folder: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: folder, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}

export class WebPages implements AsyncDisposable {
  /** What was thrown in any page and caught nowhere. */
  readonly faults: unknown[] = []
  readonly #browser: Browser
  readonly #server: Server
  readonly #scripts: string[] = []

  static async start(): Promise<WebPages> {
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    })
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new WebPages(browser, server)
  }

  private constructor(browser: Browser, server: Server) {
    this.#browser = browser
    this.#server = server
    server.on('request', ({ url = '' }, response) => {
      const script = url.endsWith('.js') && this.#scripts[Number.parseInt(url.slice(1), 10)]
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html')
      response.end(script || `<body><script type="module" src="${url}.js"></script>`)
    })
  }

  /** A page of one script, which finds the facts in `location.hash`. */
  async open(script: string, facts: Record<string, string>): Promise<Page> {
    const page = await this.#browser.newPage()
    page.on('pageerror', (error) => this.faults.push(error))
    const { port } = this.#server.address() as AddressInfo
    const number = this.#scripts.push(script) - 1
    await page.goto(`http://127.0.0.1:${port}/${number}#${new URLSearchParams(facts)}`)
    return page
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

/** Waits until the page says so. */
export async function shows(page: Page, text: string): Promise<void> {
  await page.waitForFunction((said) => document.body.textContent.includes(said), text)
}
