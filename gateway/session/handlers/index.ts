/** The one switch on the kind of frame: what a client may send, and who handles it (PH-3). */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { FrameKind, type ScannedFrame } from '../../protocol/scan-packet.ts'
import type { Session } from '../session.ts'
import { handleCommand } from './command.ts'
import { handleEnvelope } from './envelope.ts'
import { refusesRequest } from './fatal.ts'
import { handleHello } from './hello.ts'
import { handleLockStep } from './lock-step.ts'
import { handleRoom } from './room.ts'

/** Throws Refusal for what ends the connection. */
export function handle(session: Session, frame: ScannedFrame): void {
  const first = !session.greeted
  session.greeted = true
  switch (frame.kind) {
    case FrameKind.ENVELOPE:
      return handleEnvelope(session, frame)
    case FrameKind.ROOM:
      return answer(handleRoom, session, frame)
    case FrameKind.LOCK_STEP:
      return answer(handleLockStep, session, frame)
    case FrameKind.COMMAND:
      return answer(handleCommand, session, frame)
    case FrameKind.HELLO:
      if (!first) throw new Refusal(Code.FRAME_NOT_ALLOWED, 'Hello is not the first frame')
      return answer(handleHello, session, frame)
    case FrameKind.DROP:
      // With an id it refuses a request, and a gateway makes none.
      if (frame.id === 0) session.drop(Code.UNSPECIFIED, 'the client leaves')
      return
    case FrameKind.NONE:
      if (frame.id !== 0) session.refuse(frame.id, Code.UNIMPLEMENTED, 'no body known here')
      return
    case FrameKind.WELCOME:
    case FrameKind.RECEIPT:
    case FrameKind.EVENT:
    case FrameKind.RESUME:
      throw new Refusal(Code.FRAME_NOT_ALLOWED, 'a frame that only a gateway sends')
  }
}

type Handler = (session: Session, frame: ScannedFrame) => void

/** Runs the handler of a request, and tells its refusal by the request's id. */
function answer(handler: Handler, session: Session, frame: ScannedFrame): void {
  try {
    handler(session, frame)
  } catch (error) {
    if (!refusesRequest(error)) throw error
    session.refuse(frame.id, error.code, error.detail)
  }
}
