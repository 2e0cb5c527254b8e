/** What a socket was told, a line a frame, as tests of histories look at it. */
import { Code } from '@porthouse/proto/v1/code'
import { Replay } from '@porthouse/proto/v1/envelope'
import type { Frame } from '@porthouse/proto/v1/frame'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import type { Joined, Room } from '@porthouse/proto/v1/room'
import type { FrameInit } from './client-frames.ts'
import { textOf } from './heard.ts'

type Action = Room['action']

/** `1 STORED 3`, `hello 3 HISTORY`, `1 joined 2 from 0`. */
export function told(frames: readonly Frame[]): string[] {
  return frames.map(({ id, body }) => {
    if (body.case === 'receipt') {
      const { status, code, sequence } = body.value
      return `${id} ${nameIn(ReceiptStatus, status)} ${code ? nameIn(Code, code) : sequence}`
    }
    if (body.case === 'envelope') {
      const { stamp } = body.value
      const mark = stamp?.replay ? ` ${nameIn(Replay, stamp.replay)}` : ''
      return `${textOf(body.value)} ${stamp?.sequence}${mark}`
    }
    if (body.case === 'drop') return `${id} drop ${nameIn(Code, body.value.code)}`
    return `${id} ${body.case === 'room' ? toldAction(body.value.action) : body.case}`
  })
}

function toldAction(action: Action): string {
  switch (action.case) {
    case 'joined':
      return `joined ${backlogOf(action.value)}`
    case 'caughtUp':
      return `caughtUp ${action.value.sequence}`
    case 'lost': {
      const { fromSequence, toSequence, code } = action.value
      return `lost ${fromSequence}-${toSequence} ${nameIn(Code, code)}`
    }
    case 'left':
      return action.value.code === 0 ? 'left' : `left ${nameIn(Code, action.value.code)}`
    case 'cursor':
      return `cursor ${action.value.position?.sequence}`
    case 'fetched': {
      const { count, firstSequence, lastSequence, moreBefore, moreAfter } = action.value
      const more = [moreBefore && 'before', moreAfter && 'after'].filter(Boolean).join(' and ')
      return `fetched ${count} of ${firstSequence}-${lastSequence}${more && `, more ${more}`}`
    }
    default:
      return `${action.case}`
  }
}

function backlogOf({ backlog, sequence }: Joined): string {
  if (!backlog) return `${sequence}`
  const { recovered, afterSequence, code } = backlog
  return `${sequence} from ${afterSequence}${recovered ? '' : ` ${nameIn(Code, code)}`}`
}

/** A generated enum's name for a number. */
function nameIn(values: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(values).find(([, number]) => number === value)?.[0] ?? `${value}`
}

/** A frame of room with this action. */
export function roomFrame(id: number, kind: NonNullable<Action['case']>, value: object): FrameInit {
  return { id, body: { case: 'room', value: { action: { case: kind, value } } } } as FrameInit
}

export function position(sequence: number, epoch = 0): { epoch: bigint; sequence: bigint } {
  return { epoch: BigInt(epoch), sequence: BigInt(sequence) }
}
