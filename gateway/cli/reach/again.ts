/** Changes of what was read before: made anew where somebody else changed it in between. */
import { ConnectError } from '@connectrpc/connect'
import { ProblemSchema } from '@porthouse/proto/admin/v1/problem'
import { Code } from '@porthouse/proto/v1/code'

const TIMES_MAX = 5

/** Rejects as `change` does the last time. */
export async function again<T>(change: () => Promise<T>): Promise<T> {
  for (let left = TIMES_MAX; ; left--) {
    try {
      return await change()
    } catch (error) {
      if (left === 0 || !isStale(error)) throw error
    }
  }
}

function isStale(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false
  return error.findDetails(ProblemSchema).some(({ code }) => code === Code.ETAG_STALE)
}
