/** LockStep from a client: an answer, for the lock stack to judge. */
import { Code } from '@porthouse/proto/v1/code'
import { LockStepSchema } from '@porthouse/proto/v1/lock_step'
import type { Acceptor, Response } from '../../locks/acceptor.ts'
import type { NewLock } from '../../locks/lock.ts'
import { Refusal } from '../../protocol/codes.ts'
import { ANSWER_BYTES_MAX, NAME_BYTES_MAX } from '../../protocol/limits.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import { locksFor, stepLocks } from '../locks/locks.ts'
import type { Session } from '../session.ts'
import { decode } from './decode.ts'

export function handleLockStep(session: Session, frame: ScannedFrame): void {
  const { lock, step } = decode(LockStepSchema, frame)
  if (step.case === undefined) {
    if (frame.id !== 0) session.refuse(frame.id, Code.UNIMPLEMENTED, 'no step known here')
    return
  }
  if (step.case !== 'answer') {
    throw new Refusal(Code.FRAME_NOT_ALLOWED, 'a lock step that only a gateway sends')
  }
  const { acceptor, response } = step.value
  if (sizeOf(response, frame) > ANSWER_BYTES_MAX) {
    throw new Refusal(Code.PAYLOAD_TOO_LARGE, `an answer over ${ANSWER_BYTES_MAX} bytes`)
  }
  takeAnswer(session, frame.id, { lock, acceptor, response })
}

export interface Answer {
  /** With or without its `lock:`; `` where none waits. */
  readonly lock: string
  readonly acceptor: string
  /** At most ANSWER_BYTES_MAX. */
  readonly response: Response
}

/** Takes what a request of this id answers, of whatever form that had. Throws Refusal. */
export function takeAnswer(session: Session, id: number, answer: Answer): void {
  const { lock, acceptor, response } = answer
  if (Buffer.byteLength(lock) > NAME_BYTES_MAX || Buffer.byteLength(acceptor) > NAME_BYTES_MAX) {
    throw new Refusal(
      Code.NAME_TOO_LONG,
      `a lock's or acceptor's name over ${NAME_BYTES_MAX} bytes`,
    )
  }
  const { core } = session
  const known = core.acceptors.get(acceptor)
  if (!known) return session.refuse(id, Code.UNIMPLEMENTED, 'no such acceptor here')
  // Who is in already does not guess for longer than who comes anew may (K15).
  if (response.case !== undefined && !core.failures.allows(session.handshake.remote)) {
    throw new Refusal(Code.RATE_LIMITED, 'too many wrong answers came from this network')
  }
  stepLocks(session, {
    type: 'answer',
    lock: lock.replace(/^lock:/, ''),
    acceptor,
    response,
    frame: id,
    nominated: known.nominable ? nominate(session, known) : undefined,
  })
}

/** In bytes; of an answer in several parts no less than all of them. */
function sizeOf({ value }: Response, { start, end }: ScannedFrame): number {
  if (value === undefined) return 0
  return typeof value === 'string' || value instanceof Uint8Array
    ? Buffer.byteLength(value)
    : end - start
}

/** The lock that an answer in the main lobby makes for itself. */
function nominate(session: Session, acceptor: Acceptor): NewLock | undefined {
  const { tries, deadlineMs } = session.core.options.limbo
  const options = acceptor.readOptions({})
  const lock = { acceptor: acceptor.name, tries, deadlineMs, options }
  return locksFor(session, { kind: 'lock', lock })[0]
}
