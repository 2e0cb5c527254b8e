/** Answers that are longer than their questions: in their turn, and not too often. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import { RateLimit } from '../../protocol/rate-limit.ts'
import { refusalOf } from '../refusal.ts'
import type { Body, Session } from '../session.ts'

/** That one socket may ask. */
const LISTS = { perSecond: 8, burst: 32 }

/** Answers when the list is there. Throws Refusal RATE_LIMITED. */
export function answerList(session: Session, id: number, read: () => Promise<Body>): void {
  session.lists ??= new RateLimit(LISTS)
  if (!session.lists.take(session.core.uptime())) {
    throw new Refusal(Code.RATE_LIMITED, `over ${LISTS.perSecond} lists a second`)
  }
  const answered = read().then(
    (body) => session.send(id, body),
    (error) => {
      const { code, detail } = refusalOf(session, error, 'a list cannot be made')
      session.refuse(id, code, detail)
    },
  )
  session.wait(answered)
}
