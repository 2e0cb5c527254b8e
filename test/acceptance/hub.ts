/** A gateway as its user has it: bin/porthouse in a process of its own, a folder, and no more. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Ended, json as jsonOf, porthouse, Running, type RunOptions } from '../cli/process.ts'

export class Hub {
  /** Its data, and whatever files a user would keep beside it. */
  readonly folder: string
  readonly url: string
  /** Where MQTT listens on TCP. */
  readonly mqttPort: number
  #gateway: Running

  /** `settings` as in a config file. */
  static async start(settings: object = {}): Promise<Hub> {
    const folder = await mkdtemp(join(tmpdir(), 'porthouse-acceptance-'))
    await writeFile(join(folder, 'porthouse.json'), JSON.stringify(settings))
    return new Hub(folder, await begin(folder, '127.0.0.1:0', '127.0.0.1:0'))
  }

  private constructor(folder: string, { gateway, url, mqtt }: Begun) {
    this.folder = folder
    this.url = url
    this.mqttPort = Number(mqtt.split(':')[1])
    this.#gateway = gateway
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** Path of a file in the folder. */
  file(name: string): string {
    return join(this.folder, name)
  }

  /** What a user's shell has set. */
  with({ env, ...options }: RunOptions = {}): RunOptions {
    const own = { PORTHOUSE_DATA: this.file('data'), PORTHOUSE_URL: this.url }
    return { cwd: this.folder, ...options, env: { ...own, ...env } }
  }

  /** Runs a command to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended> {
    return porthouse(args, this.with(options))
  }

  /** Runs a command that succeeds, and reads what it prints with --json. */
  json<T>(args: readonly string[], options?: RunOptions): Promise<T> {
    return jsonOf<T>(args, this.with(options))
  }

  /** A command that goes on. */
  begin(args: readonly string[], options?: RunOptions): Running {
    return new Running(args, this.with(options))
  }

  /** A room behind a flow, as a config file has it. */
  async room(name: string, flow: object, access: object = {}): Promise<void> {
    const config = { blocks: [{ access: { flow, ...access } }] }
    const file = this.file(`${name.replace('/', '-')}.json`)
    await writeFile(file, JSON.stringify(config))
    await this.json(['room', 'create', name, '--config', file])
  }

  /** kill -9; then another gateway starts on the same folder, at the same addresses. */
  async crash(): Promise<void> {
    const { code } = await this.#gateway.stop('SIGKILL')
    if (code !== null) throw new Error(`the gateway had ended before, with ${code}`)
    await this.#again()
  }

  /** The same in order, by SIGTERM. */
  async restart(): Promise<void> {
    const { code, stderr } = await this.#gateway.stop()
    if (code !== 0) throw new Error(`the gateway ends with ${code}: ${stderr}`)
    await this.#again()
  }

  async #again(): Promise<void> {
    const mqtt = `127.0.0.1:${this.mqttPort}`
    this.#gateway = (await begin(this.folder, new URL(this.url).host, mqtt)).gateway
  }

  /** Ends the gateway in order; resolves with what it logged, which is warnings and worse. */
  async stop(): Promise<Ended> {
    const ended = await this.#gateway.stop()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20 })
    return ended
  }
}

interface Begun {
  readonly gateway: Running
  readonly url: string
  /** HOST:PORT */
  readonly mqtt: string
}

async function begin(folder: string, http: string, listen: string): Promise<Begun> {
  const [config, data] = [join(folder, 'porthouse.json'), join(folder, 'data')]
  const ports = ['--http', http, '--mqtt', listen]
  const flags = ['--log', 'warn', '--config', config, '--data', data]
  const gateway = new Running(['run', ...ports, ...flags])
  const said = await gateway.says(/^MQTT is spoken on .*$/m)
  const [, url, mqtt] = /WebSocket (ws:\/\/[\d.:]+)[\s\S]*mqtt:\/\/([\d.:]+)/.exec(said)!
  return { gateway, url: url!, mqtt: mqtt! }
}
