/** Lock steps that a gateway sends and a client answers, in their short forms. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Code } from '@porthouse/proto/v1/code'
import type { Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import type { Answer, ChallengeSchema } from '@porthouse/proto/v1/lock_step'
import { type Line, limits } from './peer.ts'

type FrameInit = MessageInitShape<typeof FrameSchema>

export const SOCKET = 'socket:aaaaaaaaaaaaaaaa'
export const LOCK = 'lock:aaaaaaaaaaaaaaaa'

export function welcome(id: number, resumed = false): FrameInit {
  return { id, body: { case: 'welcome', value: { socket: SOCKET, limits, resumed } } }
}

export function challenge(
  id: number,
  value: MessageInitShape<typeof ChallengeSchema>,
  lock = LOCK,
): FrameInit {
  const full = { depth: 1, triesLeft: 3, deadlineMs: 10_000, ...value }
  const step = { case: 'challenge' as const, value: full }
  return { id, body: { case: 'lockStep', value: { lock, step } } as FrameInit['body'] & object }
}

export interface Said {
  readonly code?: Code
  readonly triesLeft?: number
  readonly values?: Record<string, string>
}

const OUTCOMES = { passed: 1, failed: 2, dropped: 3 } as const

export function judged(
  id: number,
  outcome: keyof typeof OUTCOMES,
  { code = 0, triesLeft = 0, values = {} }: Said = {},
  lock = LOCK,
): FrameInit {
  const value = { outcome: OUTCOMES[outcome], code, triesLeft, values }
  return { id, body: { case: 'lockStep', value: { lock, step: { case: 'verdict', value } } } }
}

export interface Answered {
  readonly id: number
  readonly lock: string
  readonly acceptor: string
  readonly response: Answer['response']
}

/** The answers among a packet's frames. */
export function answersIn(frames: readonly Frame[]): Answered[] {
  return frames.flatMap(({ id, body }) => {
    if (body.case !== 'lockStep' || body.value.step.case !== 'answer') return []
    const { acceptor, response } = body.value.step.value
    return [{ id, lock: body.value.lock, acceptor, response }]
  })
}

/** The next packet, which must hold one answer and nothing else. */
export async function answered(line: Line): Promise<Answered> {
  const frames = await line.packet()
  const [answer] = answersIn(frames)
  if (!answer || frames.length > 1) throw new Error(`${frames.map(({ body }) => body.case)}`)
  return answer
}

/** Answers the Hello of a first packet; gives the other frames' answers to locks. */
export async function greeted(line: Line, resumed = false): Promise<Answered[]> {
  const frames = await line.packet()
  line.send(welcome(frames[0]!.id, resumed))
  return answersIn(frames)
}
