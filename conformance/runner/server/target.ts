/** The gateways that cases are run against: one that runs already, or a process of our own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { create, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf'
import {
  ServerRequestSchema,
  type ServerResponse,
  ServerResponseSchema,
} from '@porthouse/proto/conformance/v1/peer'
import { messages, write } from '../delimited.ts'
import { AdminStage } from './admin-stage.ts'
import type { Accounts, Known, Stage } from './stage.ts'

export interface Target {
  readonly httpUrl: string
  /** Empty: it speaks no MQTT. */
  readonly mqttUrl: string
  readonly stage: Stage
  stop(): Promise<void>
}

export interface Running {
  readonly server: string
  readonly key: string
  readonly mqtt: string
}

/** One that runs already, whose settings are its own. */
export function running({ server, key, mqtt }: Running): Target {
  const httpUrl = server.replace(/^ws/, 'http').replace(/\/$/, '')
  return { httpUrl, mqttUrl: mqtt, stage: new AdminStage(httpUrl, key), stop: async () => {} }
}

/** The process says that it does not know these settings. */
export class Unsupported extends Error {}

/** Starts a process that is a gateway under test (peer.proto), with these settings. */
export async function startProcess(command: string, settings: JsonObject): Promise<Target> {
  const peer = new ServerProcess(command)
  const { answer } = await peer.ask({ asks: { case: 'start', value: settings } })
  if (answer.case === 'unsupported') {
    await peer.stop()
    throw new Unsupported(answer.value)
  }
  if (answer.case !== 'started') {
    await peer.stop()
    throw new Error(`the gateway did not start: ${answer.value}`)
  }
  return { ...answer.value, stage: peer, stop: () => peer.stop() }
}

class ServerProcess implements Stage {
  readonly #child: ChildProcess
  readonly #answers: AsyncGenerator<ServerResponse, void>
  #last: Promise<unknown> = Promise.resolve()

  constructor(command: string) {
    this.#child = spawn(command, { shell: true, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#answers = messages(this.#child.stdout!, ServerResponseSchema)
  }

  /** The process answers in the order in which it was asked, and may work on several at once. */
  ask(request: MessageInitShape<typeof ServerRequestSchema>): Promise<ServerResponse> {
    const written = write(
      this.#child.stdin!,
      ServerRequestSchema,
      create(ServerRequestSchema, request),
    )
    const asked = this.#last.then(async () => {
      await written
      const { value } = await this.#answers.next()
      if (!value) throw new Error('the gateway under test has ended')
      return value
    })
    this.#last = asked.catch(() => {})
    return asked
  }

  async prepare(
    { account, other = '' }: Accounts,
    fixture: Parameters<Stage['prepare']>[1],
  ): Promise<Known> {
    const value = { account, other, fixture }
    const { answer } = await this.ask({ asks: { case: 'prepare', value } })
    if (answer.case !== 'prepared') throw new Error(`the fixture was not made: ${answer.value}`)
    return answer.value.variables
  }

  async change(...[account, change, known]: Parameters<Stage['change']>): Promise<Known> {
    const value = { account, change, known }
    const { answer } = await this.ask({ asks: { case: 'change', value } })
    if (answer.case !== 'prepared') throw new Error(`the change was not made: ${answer.value}`)
    return answer.value.variables
  }

  async discard({ account, other }: Accounts): Promise<void> {
    for (const value of [account, ...(other ? [other] : [])]) {
      await this.ask({ asks: { case: 'discard', value } })
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin!.end()
    await ended
  }
}
