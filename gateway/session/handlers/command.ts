/** Command from a client: what it asks of the gateway besides messages and rooms (R3, R8). */
import { Code } from '@porthouse/proto/v1/code'
import { CommandSchema } from '@porthouse/proto/v1/command'
import { Refusal } from '../../protocol/codes.ts'
import type { ScannedFrame } from '../../protocol/scan-packet.ts'
import type { Session } from '../session.ts'
import { decode } from './decode.ts'

export function handleCommand(session: Session, frame: ScannedFrame): void {
  const { action } = decode(CommandSchema, frame)
  if (action.case === undefined) {
    if (frame.id !== 0) session.refuse(frame.id, Code.UNIMPLEMENTED, 'no action known here')
    return
  }
  throw new Refusal(Code.FRAME_NOT_ALLOWED, 'an action that only a gateway sends')
}
