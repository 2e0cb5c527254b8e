/**
 * From CONNECT to an identity: the same locks as on every other medium, answered by the password,
 * by the packets of enhanced authentication, or, once CONNACK has come, over the lock topic.
 */
import { Code } from '@porthouse/proto/v1/code'
import type { Frame } from '@porthouse/proto/v1/frame'
import type { IConnectPacket } from 'mqtt-packet'
import type { Lock } from '../../../locks/lock.ts'
import { isNamed, type Proof } from '../../../locks/proof.ts'
import { othersOf } from '../../../locks/stack.ts'
import { enter } from '../../../session/entry/entry.ts'
import { refusesRequest } from '../../../session/handlers/fatal.ts'
import { type Answer, takeAnswer } from '../../../session/handlers/lock-step.ts'
import { leftOf, locksFor, stepLocks } from '../../../session/locks/locks.ts'
import { receive } from '../../../session/receive.ts'
import type { Session } from '../../../session/session.ts'
import type { MqttConnection } from '../connection.ts'
import { protocolError, Reason } from '../wire/mqtt-error.ts'
import type { Claim, DevicePath } from './claim.ts'
import { failureOf, isVerdict, type Method, readAnswers, writeSteps } from './lock-steps.ts'
import { answerOf, isPossible } from './password.ts'

export interface LoginParts {
  readonly connection: MqttConnection
  readonly session: Session
  readonly claim: Claim
  /** Of enhanced authentication; a password is not looked at then. */
  readonly method: Method | undefined
  /** The client is whom it says, or nobody for now: it is let in. */
  readonly done: () => void
}

export class Login {
  /** An earlier session goes on; known once it is done. */
  isPresent = false
  readonly #parts: LoginParts
  #password: Buffer | undefined
  /** Acceptors that the password was given to. */
  readonly #tried = new Set<string>()
  /** Lock steps that the client was not told of. */
  #steps: Frame[] = []
  /** The client has had its say, and is not heard until it has an answer. */
  #isHeld = true
  #isDone = false

  constructor(parts: LoginParts) {
    this.#parts = parts
  }

  /** Throws MqttError and Refusal, for what ends the connection. */
  begin({ password, properties }: IConnectPacket): void {
    const { connection, claim, method } = this.#parts
    connection.conversation.overheard = (frame) => this.#hear(frame)
    if (claim.kind === 'impossible') return this.#refuse(password !== undefined)
    if (!method && password) {
      if (!isPossible(password)) return this.#refuse(true)
      this.#password = Buffer.from(password)
    }
    if (claim.kind === 'account') {
      if (!method && !password) return this.#refuse(false)
      this.#guard(claim.account)
    }
    if (claim.kind === 'device') this.#enter(claim.path)
    if (method) this.#receive(method, properties?.authenticationData)
    this.#look()
  }

  /** The client's next answers. Throws as `begin` does. */
  goOn(data: Uint8Array | undefined): void {
    const { connection, method } = this.#parts
    if (!method) throw protocolError('AUTH, and CONNECT named no method')
    connection.hold()
    connection.state = 'connecting'
    this.#isHeld = true
    this.#receive(method, data)
    this.#look()
  }

  #receive(method: Method, data: Uint8Array | undefined): void {
    if (data?.length) receive(this.#parts.session, readAnswers(method, data).packet)
  }

  /** The lock of the account's lobby: nobody learns whether there is such an account (K14). */
  #guard(account: string): void {
    const { session } = this.#parts
    const place = `lobby:${account}`
    const flow = leftOf(session, session.core.lobbyFlow, place)
    if (flow) stepLocks(session, { type: 'guard', place, locks: locksFor(session, flow) })
  }

  /** Into the room, by its locks, and listening to nothing that was not subscribed. */
  #enter({ address: target, client }: DevicePath): void {
    const { session } = this.#parts
    session.urlClient = client
    enter(session, {
      frameId: 0,
      target,
      listen: 'ifPermitted',
      client,
      done: (refusal) => {
        if (refusal) return session.drop(refusal.code, refusal.detail)
        for (const member of session.memberships.values()) {
          for (const filter of [...member.filters]) member.place.unlisten(member, filter)
        }
      },
    })
  }

  #hear(frame: Frame): boolean {
    const { case: kind } = frame.body
    if (kind !== 'lockStep' && !(kind === 'drop' && frame.id !== 0)) return false
    if (this.#steps.push(frame) === 1) queueMicrotask(() => this.#lookLater())
    return true
  }

  /** Some verdicts come without an answer to them. */
  #lookLater(): void {
    try {
      this.#look()
    } catch (error) {
      this.#parts.connection.fail(error)
    }
  }

  /** Sees how far it has come, and does what is next. */
  #look(): void {
    const { connection, session, method } = this.#parts
    if (this.#isDone || session.closed) return
    if (session.busy) return connection.whenIdle(() => this.#look())
    if (this.#isIn()) return this.#end()
    // It has proved to be somebody else, and no lock asks for more.
    if (session.unlocked && session.stack.locks.length === 0) return this.#refuse(true)
    if (method) return this.#tell(method)
    const failed = this.#steps.map(failureOf).find((code) => code !== undefined)
    if (failed !== undefined) return session.drop(failed, NOT_PROVED)
    if (this.#password) return this.#answer(this.#password)
    this.#end()
  }

  /** Whether it is whom it says. */
  #isIn(): boolean {
    const { session, claim, method } = this.#parts
    switch (claim.kind) {
      case 'device':
        return session.memberships.size > 0
      case 'account':
        return session.proofs.some((proof) => isOf(proof, claim))
      default:
        return (
          session.proofs.length > 0 && (method === undefined || session.stack.locks.length === 0)
        )
    }
  }

  /** The password is the answer to what is asked now, once for each acceptor. */
  #answer(password: Buffer): void {
    const { session, claim } = this.#parts
    const top = session.stack.locks.at(-1)
    // Somebody else may have to decide.
    if (top && top.phase !== 'asked') return
    this.#steps = []
    const acceptors = top ? acceptorsOf(top) : claim.kind === 'nobody' ? ['token'] : []
    const answer = answerOf(password, claim, acceptors)
    if (!answer || this.#tried.has(answer[0])) return this.#refuse(false)
    this.#tried.add(answer[0])
    const [acceptor, response] = answer
    this.#give({ lock: top?.id ?? '', acceptor, response })
    this.#look()
  }

  /** As a frame of it would be taken, which no packet of MQTT was. */
  #give(answer: Answer): void {
    const { session } = this.#parts
    try {
      takeAnswer(session, ANSWER_ID, answer)
    } catch (error) {
      if (!refusesRequest(error)) return session.fail(error)
      session.refuse(ANSWER_ID, error.code, error.detail)
    }
  }

  /** Sends what the locks say; without a word of them, the client is only heard again. */
  #tell(method: Method): void {
    const { connection, session } = this.#parts
    const isAsked = session.stack.locks.length > 0
    connection.state = 'authenticating'
    if (this.#steps.length > 0 || (this.#isHeld && !isAsked)) {
      const properties = {
        authenticationMethod: method,
        authenticationData: writeSteps(method, this.#steps),
      }
      this.#steps = []
      connection.send({ cmd: 'auth', reasonCode: Reason.CONTINUE_AUTHENTICATION, properties })
    }
    if (!this.#isHeld) return
    this.#isHeld = false
    connection.go()
  }

  #end(): void {
    const { connection, done } = this.#parts
    this.#isDone = true
    connection.conversation.overheard = undefined
    if (!this.#isHeld) connection.hold()
    connection.state = 'connecting'
    done()
  }

  /** What the locks said last, for CONNACK. */
  lastWord(method: Method): Buffer {
    return writeSteps(method, this.#steps.filter(isVerdict))
  }

  /** In the words of a wrong secret, whatever is wrong. */
  #refuse(isGuess: boolean): void {
    const { session } = this.#parts
    if (isGuess) session.core.failures.add(session.handshake.remote)
    session.drop(Code.UNAUTHENTICATED, NOT_PROVED)
  }
}

/** Of the request that a password is. */
const ANSWER_ID = 1

const NOT_PROVED = 'user name and password do not prove anybody'

function acceptorsOf(lock: Lock): readonly string[] {
  return [lock.choice.acceptor, ...othersOf(lock)]
}

function isOf(
  { account, client }: Proof,
  claim: Extract<Claim, { readonly kind: 'account' }>,
): boolean {
  if (!account || !isNamed(account, claim.account)) return false
  return claim.client === undefined || (client !== undefined && isNamed(client, claim.client))
}
