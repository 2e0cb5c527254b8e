/** Plays the steps of one case against a gateway. Throws Unmet where it does something else. */
import { create, type JsonObject } from '@bufbuild/protobuf'
import { type Change, ChangeSchema } from '@porthouse/proto/conformance/v1/fixture'
import type {
  Closed,
  Expect,
  Open,
  Quiet,
  ServerCase,
  Step,
} from '@porthouse/proto/conformance/v1/server_suite'
import { Transport } from '@porthouse/proto/conformance/v1/transport'
import { type Connection, type Dial, Unmet } from '../connection.ts'
import { shownEnding } from '../inbox.ts'
import { fill, mismatch, show, spread, templateOf, type Variables } from '../template.ts'
import { enter } from './enter.ts'
import { greet } from './greet.ts'
import { reasonIn } from './mqtt/reasons.ts'
import { post } from './post.ts'
import type { Stage } from './stage.ts'
import { openOn } from './transports.ts'

export interface Scene {
  readonly httpUrl: string
  readonly mqttUrl: string
  readonly stage: Stage
  /** Name of the case's account. */
  readonly account: string
  readonly transport: Transport
  readonly variables: Variables
  readonly withinMs: number
  readonly trace: (line: string) => void
}

export async function play({ steps }: ServerCase, scene: Scene): Promise<void> {
  const script = new Script(scene)
  try {
    for (const [i, step] of steps.entries()) {
      try {
        await script.step(step)
      } catch (error) {
        if (!(error instanceof Unmet || error instanceof TypeError)) throw error
        const what = `step ${i + 1} (${step.who || 'the gateway'}: ${step.does.case})`
        throw new Unmet(`${what}: ${error.message}`, { cause: error })
      }
    }
    script.checkRules()
  } finally {
    await script.end()
  }
}

/** A socket is known by what the case has saved. */
function filled(change: Change, variables: Variables): Change {
  if (change.what.case !== 'dropSocket') return change
  const value = String(fill(change.what.value, variables))
  return create(ChangeSchema, { what: { case: 'dropSocket', value } })
}

class Script {
  readonly #scene: Scene
  readonly #connections = new Map<string, Connection>()
  /** Those that were replaced under their name, too. */
  readonly #all: { who: string; connection: Connection }[] = []

  constructor(scene: Scene) {
    this.#scene = scene
  }

  async step(step: Step): Promise<void> {
    const { does, who } = step
    const { variables, stage, account } = this.#scene
    switch (does.case) {
      case 'open':
        return await this.#open(who, does.value)
      case 'send':
        return await this.#of(who).send(
          fill(does.value.frames.map(templateOf), variables) as JsonObject[],
        )
      case 'raw':
        return await this.#of(who).raw(does.value, variables)
      case 'expect':
        return await this.#expect(this.#of(who), does.value)
      case 'quiet':
        return await this.#quiet(this.#of(who), does.value)
      case 'closed':
        return await this.#closed(this.#of(who), does.value)
      case 'leave':
        return await this.#of(who).leave(does.value)
      case 'post':
        return await post(does.value, this.#scene)
      case 'change':
        return variables.learn(
          await stage.change(account, filled(does.value, variables), variables.texts),
        )
      case 'enter':
        return await enter(this.#of(who), who, does.value, this.#scene)
      case 'reading':
        return this.#of(who).reading(does.value)
      default:
        throw new TypeError('a step that does nothing')
    }
  }

  /** What held for every connection, beside what the case is about. */
  checkRules(): void {
    for (const { who, connection } of this.#all) {
      const [violation] = connection.violations
      if (violation) throw new Unmet(`${who}: the gateway broke ${violation}`)
    }
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#all.map(({ connection }) => connection.leave({ cut: true, drop: false })),
    )
  }

  #of(who: string): Connection {
    const connection = this.#connections.get(who)
    if (!connection) throw new TypeError(`nobody is ${who} yet`)
    return connection
  }

  async #open(who: string, open: Open): Promise<void> {
    const { transport, trace, httpUrl, mqttUrl, variables, withinMs } = this.#scene
    const named = (line: string) => trace(`${who} ${line}`)
    const dial: Dial = { httpUrl, mqttUrl, who, open, variables, withinMs, trace: named }
    const on = open.transport || transport
    const connection = await openOn(on, dial)
    if (connection === 'refused') return
    this.#connections.set(who, connection)
    this.#all.push({ who, connection })
    const greets = on === Transport.WEBSOCKET || on === Transport.JSON
    if (greets) await greet(connection, dial)
  }

  async #expect(connection: Connection, expect: Expect): Promise<void> {
    const wanted = spread(expect.frames.map(templateOf), this.#scene.variables)
      .map((frame) => connection.tells(frame as JsonObject))
      .filter((frame) => frame !== undefined)
    const packets = new Set<number>()
    while (wanted.length > 0) {
      const arrived = await connection.inbox.take(this.#scene.withinMs)
      if (!arrived) throw new Unmet(this.#missing(connection, wanted[0]!))
      packets.add(arrived.packet)
      const candidates = expect.anyOrder ? wanted : wanted.slice(0, 1)
      const whys = candidates.map((one) => mismatch(one, arrived.frame, this.#scene.variables))
      const at = whys.indexOf(undefined)
      if (at < 0 && expect.passing) continue
      if (at < 0) throw new Unmet(`${whys.join('; nor: ')}. What came: ${show(arrived.frame)}`)
      wanted.splice(at, 1)
      this.#checkTail(arrived.envelope, expect.envelopeTailHex)
    }
    if (expect.onePacket && packets.size > 1) {
      throw new Unmet(`it came in ${packets.size} packets, not in one`)
    }
  }

  #missing(connection: Connection, wanted: JsonObject): string {
    const { ending } = connection.inbox
    const what = ending ? shownEnding(ending) : 'nothing came'
    return `${what}, not ${show(wanted)}`
  }

  #checkTail(envelope: Uint8Array | undefined, tail: string): void {
    if (tail === '' || !envelope) return
    const came = Buffer.from(envelope).toString('hex')
    if (!came.includes(tail)) throw new Unmet(`the envelope has lost its unknown fields: ${came}`)
  }

  async #quiet(connection: Connection, { passing }: Quiet): Promise<void> {
    if (!(await connection.fence(this.#scene.withinMs))) {
      throw new Unmet('a heartbeat was not answered')
    }
    const [arrived] = passing ? [] : connection.inbox.waiting
    if (arrived) throw new Unmet(`nothing should have come, but did: ${show(arrived.frame)}`)
  }

  async #closed(connection: Connection, { code, closeCode, passing }: Closed): Promise<void> {
    const ending = await connection.inbox.ended(this.#scene.withinMs)
    if (!ending) throw new Unmet('the connection lives on')
    const [arrived] = passing ? [] : connection.inbox.waiting
    if (arrived) throw new Unmet(`before the end came: ${show(arrived.frame)}`)
    if (closeCode !== 0 && ending.closeCode !== closeCode) {
      throw new Unmet(`closed with ${ending.closeCode}, not ${closeCode}`)
    }
    if (code === '') return
    const mqttReason = reasonIn('disconnect', code)
    if (ending.code !== undefined && ending.code !== code) {
      throw new Unmet(`ended with ${ending.code || 'no code'}, not ${code}`)
    }
    if (ending.mqttReason !== undefined && ending.mqttReason !== mqttReason) {
      throw new Unmet(`ended with reason ${ending.mqttReason}, not ${mqttReason}`)
    }
    if (ending.code === undefined && ending.closeCode !== undefined) {
      throw new Unmet(`closed with ${ending.closeCode} without a Drop, not ${code}`)
    }
  }
}
