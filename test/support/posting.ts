/** POST /v1/messages as a test wants it, and what came back. */
import { create, fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf'
import { type Receipt, ReceiptSchema } from '@porthouse/proto/v1/receipt'

export interface Posted {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  /** A problem, or what else is JSON. */
  readonly problem: JsonObject & { readonly code?: string }
  /** Empty where it was refused. */
  readonly receipt: Receipt
}

export interface PostOptions {
  /** Undefined: without credentials. */
  readonly key: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: string
  readonly method?: string
}

interface At {
  readonly port: number
}

/** `body`: an object is sent as JSON; bytes and texts as they are. */
export async function post(
  { port }: At,
  body: JsonValue | Uint8Array<ArrayBuffer>,
  { key, headers = {}, query = '', method = 'POST' }: PostOptions,
): Promise<Posted> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array
  const answer = await fetch(`http://127.0.0.1:${port}/v1/messages${query}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    ...(method !== 'GET' && { body: isRaw ? body : JSON.stringify(body) }),
  })
  const bytes = Buffer.from(await answer.arrayBuffer())
  const isJson = /json/.test(answer.headers.get('content-type') ?? '')
  const value = isJson ? (JSON.parse(bytes.toString()) as JsonObject) : {}
  const isReceipt = isJson && answer.status === 200
  return {
    status: answer.status,
    headers: answer.headers,
    bytes,
    problem: value,
    receipt: isReceipt ? fromJson(ReceiptSchema, value) : create(ReceiptSchema),
  }
}
