/** Another proof for a client that is connected, by AUTH (MQTT 5 section 4.12.1). */
import { Code } from '@porthouse/proto/v1/code'
import type { Frame } from '@porthouse/proto/v1/frame'
import { receive } from '../../../session/receive.ts'
import type { Session } from '../../../session/session.ts'
import type { MqttConnection } from '../connection.ts'
import { protocolError, Reason } from '../wire/mqtt-error.ts'
import { failureOf, isVerdict, type Method, readAnswers, writeSteps } from './lock-steps.ts'

const SUCCESS = 0x00

export class Renewal {
  readonly #connection: MqttConnection
  readonly #method: Method
  /** That the client was not told of. */
  #steps: Frame[] = []
  /** Of the last answers. */
  #ids: ReadonlySet<number> = new Set()
  readonly #locks = new Set<string>()
  #isUnderWay = false
  /** The client has had its say, and waits. */
  #isOwed = false
  #isWaiting = false

  constructor(connection: MqttConnection, method: Method) {
    this.#connection = connection
    this.#method = method
  }

  /** Throws MqttError 0x82 where nothing is under way, or nothing is answered, and Refusal. */
  take(goesOn: boolean, data: Uint8Array | undefined): void {
    const { session, conversation } = this.#connection
    if (!session) return
    if (goesOn !== this.#isUnderWay) throw protocolError('AUTH out of turn')
    if (!data?.length) throw protocolError('AUTH without an answer')
    const { packet, ids } = readAnswers(this.#method, data)
    this.#ids = ids
    this.#isUnderWay = true
    this.#isOwed = true
    conversation.overheard = (frame) => this.#hear(frame)
    receive(session, packet)
  }

  #hear(frame: Frame): boolean {
    if (!this.#isMine(frame)) return false
    this.#steps.push(frame)
    this.#lookLater()
    return true
  }

  /** Of an answer, or of a lock that an answer was for; the locks of rooms are for others. */
  #isMine({ id, body }: Frame): boolean {
    if (body.case === 'drop') return id !== 0 && this.#ids.has(id)
    if (body.case !== 'lockStep') return false
    const { lock } = body.value
    if (id !== 0 && this.#ids.has(id)) this.#locks.add(lock)
    return this.#locks.has(lock)
  }

  #lookLater(): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    queueMicrotask(() => {
      this.#connection.whenIdle(() => {
        this.#isWaiting = false
        this.#look()
      })
    })
  }

  /** All that was answered is judged: one proof that fails ends the connection. */
  #look(): void {
    const { session } = this.#connection
    if (!session || session.closed) return
    const failed = this.#steps.map(failureOf).find((code) => code !== undefined)
    if (failed !== undefined) return session.drop(failed || Code.UNAUTHENTICATED, 'not proved')
    // It was asked before, and asked anew only since another lock stood before that one.
    const isRepeated = !this.#isOwed && !this.#steps.some(isVerdict)
    if (isRepeated) return void this.#steps.splice(0)
    const isAsked = this.#steps.some((frame) => asksIn(session, frame))
    const properties = {
      authenticationMethod: this.#method,
      authenticationData: writeSteps(this.#method, this.#steps),
    }
    this.#steps = []
    this.#isOwed = false
    this.#isUnderWay = isAsked
    if (!isAsked) {
      this.#locks.clear()
      this.#connection.conversation.overheard = undefined
    }
    this.#connection.send({
      cmd: 'auth',
      reasonCode: isAsked ? Reason.CONTINUE_AUTHENTICATION : SUCCESS,
      properties,
    })
  }
}

/** Whether it is of a lock that still waits for an answer. */
function asksIn({ stack }: Session, { body }: Frame): boolean {
  if (body.case !== 'lockStep' || body.value.step.case !== 'challenge') return false
  const { lock } = body.value
  return stack.locks.some(({ id }) => lock === `lock:${id}`)
}
