/** A real gateway with real programs and sockets, over a store in memory. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import type { JsonObject } from '@bufbuild/protobuf'
import type { Block } from '@porthouse/proto/room/v1/config'
import { Otherwise } from '@porthouse/proto/room/v1/program'
import type { Frame } from '@porthouse/proto/v1/frame'
import { pino } from 'pino'
import { type Settings, schema } from '../../gateway/config/config.ts'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import type { Store } from '../../gateway/store/store.ts'
import { join } from '../support/client-frames.ts'
import { brief } from '../support/heard.ts'
import { MemoryStore, OPEN } from '../support/memory-store.ts'
import { RawWebSocket, resetRawWebSockets } from '../support/raw-websocket.ts'

export interface ProgramOptions {
  readonly options?: JsonObject
  readonly budgetMs?: number
  readonly otherwise?: Otherwise
}

export class Stage {
  readonly store: MemoryStore
  readonly folder: string
  readonly #own: string
  readonly #gateway: Gateway
  #failures: string[] = []
  #wake = Promise.withResolvers<void>()

  /** Of programs in this folder; in one of its own where none is given. */
  static async open(settings: Settings['programs'] = {}): Promise<Stage> {
    const own = await mkdtemp(joinPath(tmpdir(), 'porthouse-programs-'))
    const folder = settings.folder ?? own
    const config = schema.parse({
      data: 'nowhere',
      http: { listen: '127.0.0.1:0' },
      features: ['websocket', 'programs'],
      drainMs: 100,
      programs: { ...settings, folder },
    })
    let stage: Stage | undefined
    const write = (line: string) => stage?.logged(line)
    const log = pino({ level: 'warn' }, { write })
    const late = new MemoryStore()
    const store = Object.assign(late, { ping: async () => {} }) as unknown as Store
    const gateway = await createGateway({ config, store, log })
    stage = new Stage(own, folder, gateway, late)
    return stage
  }

  private constructor(own: string, folder: string, gateway: Gateway, store: MemoryStore) {
    this.#own = own
    this.folder = folder
    this.#gateway = gateway
    this.store = store
  }

  /** Writes a module; `hooks` is what stands between the braces of its program. */
  async program(name: string, hooks: string): Promise<void> {
    const source = `import { defineRoom, Refused } from 'porthouse/room'
    void Refused
    export default defineRoom({ ${hooks} })`
    await this.file(`${name}.ts`, source)
  }

  file(name: string, source: string): Promise<void> {
    return writeFile(joinPath(this.folder, name), source)
  }

  /** A room that anybody may enter, with a program. */
  room(address: string, module: string, more: ProgramOptions = {}, ...kinds: Block['kind'][]) {
    this.store.room(address, OPEN, programBlock(module, more), ...kinds)
  }

  /** Somebody who is in the room. */
  async visitor(address: string, path = '/v1/ws'): Promise<Visitor> {
    const visitor = new Visitor(await RawWebSocket.open(this.#gateway.http.port, { path }))
    visitor.socket.packet(join(1, `room:${address}`))
    await visitor.until('joined')
    return visitor
  }

  /** What the next program failed of, which nobody has asked for yet. */
  async failure(): Promise<string> {
    for (;;) {
      const failure = this.#failures.shift()
      if (failure !== undefined) return failure
      await this.#wake.promise
    }
  }

  get failures(): readonly string[] {
    return this.#failures
  }

  logged(line: string): void {
    const { msg, detail } = JSON.parse(line) as { msg: string; detail?: string }
    if (msg !== 'a program failed') return
    this.#failures.push(detail ?? '')
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  async close(): Promise<void> {
    resetRawWebSockets()
    await this.#gateway.drain()
    await rm(this.#own, { recursive: true, force: true })
  }
}

export function programBlock(module: string, more: ProgramOptions = {}): Block['kind'] {
  const { options, budgetMs = 1_000, otherwise = Otherwise.REJECT } = more
  const value = { module, budgetMs, otherwise, ...(options && { options }) }
  return { case: 'program', value: value as never }
}

export class Visitor {
  readonly socket: RawWebSocket
  #heard: Frame[] = []

  constructor(socket: RawWebSocket) {
    this.socket = socket
  }

  /** The next frame whose line holds this; those before it are passed over. */
  async until(part: string): Promise<Frame> {
    for (;;) {
      const frame = await this.socket.frame()
      this.#heard.push(frame)
      if (brief(frame).includes(part)) return frame
    }
  }

  /** What was heard since the last call, a line each. */
  heard(): string[] {
    return this.#heard.splice(0).map(brief)
  }
}
