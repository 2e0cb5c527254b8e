/**
 * Requests to servers that an admin named: never redirected, bounded in time and size, and in how
 * many run at once, so that one that hangs or floods costs no more than that (threat K5).
 */

export interface FetchBounds {
  /** For all of it, to the last byte of the answer. */
  readonly timeoutMs: number
  readonly bytesMax: number
  /** Ends it early. */
  readonly signal?: AbortSignal
}

export interface BoundedRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: string
}

/** Rejects where there is no whole answer within the bounds. A redirect is an answer like any. */
export async function boundedFetch(
  url: string,
  request: BoundedRequest,
  { timeoutMs, bytesMax, signal }: FetchBounds,
): Promise<Response> {
  const late = AbortSignal.timeout(timeoutMs)
  const response = await fetch(url, {
    ...request,
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, late]) : late,
  })
  const { status, headers } = response
  const type = headers.get('content-type')
  const body = await wholeBody(response, bytesMax)
  return new Response(body.length > 0 ? body : null, {
    status,
    ...(type && { headers: { 'content-type': type } }),
  })
}

async function wholeBody({ body }: Response, bytesMax: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    // Leaving the loop cancels the rest.
    if (bytes > bytesMax) throw new Error(`an answer of over ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** How many do something at once: in all, and for one key. */
export class Turnstile {
  readonly #max: number
  readonly #maxPerKey: number
  readonly #inside = new Map<string, number>()
  #count = 0

  constructor({ max, maxPerKey }: { max: number; maxPerKey: number }) {
    this.#max = max
    this.#maxPerKey = maxPerKey
  }

  /** Runs it; rejects at once where there is no room, for a queue would only be another bound. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const inside = this.#inside.get(key) ?? 0
    if (this.#count >= this.#max || inside >= this.#maxPerKey) throw new Error('too many at once')
    this.#count++
    this.#inside.set(key, inside + 1)
    try {
      return await work()
    } finally {
      this.#count--
      const left = (this.#inside.get(key) ?? 1) - 1
      if (left === 0) this.#inside.delete(key)
      else this.#inside.set(key, left)
    }
  }
}
