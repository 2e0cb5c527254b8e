/** What a frame is, and whether a side may send it. */
import type { Frame } from '@porthouse/proto/v1/frame'

/** Bodies that a side may send, each with its actions or steps where it has any. */
export type Sendable = Readonly<Record<string, readonly string[] | undefined>>

/** Its action or step, where its body has one: "join", "verdict", "envelope". */
export function kindOf(body: Frame['body']): string {
  const value = body.value as { action?: { case?: string }; step?: { case?: string } } | undefined
  return value?.action?.case ?? value?.step?.case ?? body.case ?? 'a frame without a body'
}

export function maySend(sendable: Sendable, body: Frame['body']): boolean {
  if (body.case === undefined || !(body.case in sendable)) return false
  return sendable[body.case]?.includes(kindOf(body)) ?? true
}
