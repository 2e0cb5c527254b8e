/** Bodies of requests, read whole within bounds (threat C2): of one, and of all together. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../../protocol/codes.ts'
import type { HttpRequest } from './route.ts'

export interface BodyBounds {
  /** Of one body, in bytes. */
  readonly one: number
  /** Of all that are being read or worked on. */
  readonly all: number
}

export class Bodies {
  readonly #bounds: BodyBounds
  #bytes = 0

  constructor(bounds: BodyBounds) {
    this.#bounds = bounds
  }

  /**
   * Reads a body and does something with it, which counts until that is done. Rejects with Refusal
   * PACKET_TOO_LARGE, QUEUE_FULL where others take all the memory, or MALFORMED_PACKET where the
   * client goes away before its end.
   */
  async use<T>(request: HttpRequest, does: (body: Buffer) => Promise<T>): Promise<T> {
    const { one, all } = this.#bounds
    const declared = Number(request.headers['content-length'] ?? 0)
    if (declared > one) throw tooLarge(one)
    let size = 0
    try {
      const chunks: Buffer[] = []
      // What is not read is left to the server, which has an answer to send yet.
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        size += chunk.length
        this.#bytes += chunk.length
        if (size > one) throw tooLarge(one)
        if (this.#bytes > all) throw new Refusal(Code.QUEUE_FULL, 'too many bodies are under way')
        chunks.push(chunk)
      }
      return await does(Buffer.concat(chunks, size))
    } catch (error) {
      throw isGone(error) ? new Refusal(Code.MALFORMED_PACKET, 'the body has no end') : error
    } finally {
      this.#bytes -= size
    }
  }
}

function tooLarge(max: number): Refusal {
  return new Refusal(Code.PACKET_TOO_LARGE, `the body is over ${max} bytes`)
}

/** The connection, or the stream of it, was ended by the client or by a timeout. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR'
}
