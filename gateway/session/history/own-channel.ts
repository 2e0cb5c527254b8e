/** Join of a client's own channel: what was sent to it while it had no connection (R43). */
import { Code } from '@porthouse/proto/v1/code'
import { Replay } from '@porthouse/proto/v1/envelope'
import type { Join } from '@porthouse/proto/v1/room'
import { Refusal } from '../../protocol/codes.ts'
import type { OwnChannel } from '../../router/own-channels.ts'
import type { Session } from '../session.ts'
import { pastOf } from './backlog.ts'

/** Answers with Joined and what was missed, of a client that the socket is. Throws Refusal. */
export function joinOwnChannel(session: Session, frameId: number, asked: Join): void {
  const address = session.names.get(asked.address)
  if (address === undefined) {
    throw new Refusal(Code.ENTRY_NOT_PERMITTED, 'the socket is not that client')
  }
  const past = pastOf(asked)
  if (past && past.kind !== 'after') {
    throw new Refusal(Code.MALFORMED_PACKET, 'of a client there is what came after a position')
  }
  const channel = session.core.own.open(address)
  const { epoch, sequence } = channel
  const told = {
    route: 0,
    address,
    epoch: BigInt(epoch),
    sequence: BigInt(sequence),
    listening: true,
  }
  if (!past) return send(session, frameId, { case: 'joined', value: told })
  const { after, code } = beginningIn(channel, past.position)
  const recovered = code === Code.UNSPECIFIED
  const backlog = { recovered, afterSequence: BigInt(after), code }
  send(session, frameId, { case: 'joined', value: { ...told, backlog } })
  // What was sent since it is that client came live.
  const from = session.ownFrom?.get(address)
  // In an epoch that is younger all came live.
  const liveFrom = from?.epoch === epoch ? from.sequence : 0
  for (const { message, body } of channel.window.after(after)) {
    if (message.sequence > liveFrom) break
    session.outbox.envelope(body, { ...message, replay: Replay.HISTORY })
  }
  send(session, 0, { case: 'caughtUp', value: { address, sequence: BigInt(sequence) } })
}

function beginningIn(
  channel: OwnChannel,
  { epoch, sequence }: { readonly epoch: number; readonly sequence: number },
) {
  const { before } = channel.window
  if (epoch !== 0 && epoch !== channel.epoch) return { after: before, code: Code.EPOCH_CHANGED }
  if (sequence > channel.sequence) {
    return { after: channel.sequence, code: Code.POSITION_UNKNOWN }
  }
  if (sequence >= before) return { after: sequence, code: Code.UNSPECIFIED }
  // From the beginning of what there is, if nothing else was known.
  const code = epoch === 0 && sequence === 0 ? Code.UNSPECIFIED : Code.RETENTION
  return { after: before, code }
}

type Action =
  | { readonly case: 'joined'; readonly value: object }
  | { readonly case: 'caughtUp'; readonly value: object }

function send(session: Session, id: number, action: Action): void {
  session.send(id, { case: 'room', value: { action } })
}
