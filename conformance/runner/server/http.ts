/** POST /v1/messages as a connection that sends, and hears of its own messages alone (PH-18). */
import { fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf'
import { type Envelope, EnvelopeSchema } from '@porthouse/proto/v1/envelope'
import { ReceiptSchema } from '@porthouse/proto/v1/receipt'
import { codeNamed } from '../codes.ts'
import type { Connection, Dial } from '../connection.ts'
import { Inbox } from '../inbox.ts'
import { show } from '../template.ts'

export function openHttp(dial: Dial): Promise<Connection> {
  return Promise.resolve(new HttpSender(dial))
}

class HttpSender implements Connection {
  readonly inbox = new Inbox()
  readonly violations: string[] = []
  readonly #dial: Dial
  readonly #headers: Record<string, string>
  /** One after the other, as on one connection (PH-18.5). */
  #last: Promise<void> = Promise.resolve()

  constructor(dial: Dial) {
    this.#dial = dial
    const { as } = dial.open
    this.#headers = {
      'content-type': 'application/protobuf',
      ...(as !== '' && { authorization: `Bearer ${dial.variables.value(`${as}.secret`)}` }),
    }
  }

  async send(frames: readonly JsonObject[]): Promise<void> {
    for (const { id = 0, envelope } of frames) {
      if (!envelope) throw new TypeError('HTTP sends envelopes alone')
      const { routing } = envelope as { routing?: JsonObject }
      const message = fromJson(EnvelopeSchema, envelope)
      this.#dial.trace(`→ ${show(envelope)}`)
      const isAsked = routing?.receipt !== undefined
      this.#last = this.#last.then(() => this.#post(Number(id), message, isAsked))
    }
  }

  raw(): Promise<void> {
    throw new TypeError('HTTP has nothing raw; `post` says what it likes')
  }

  async fence(): Promise<boolean> {
    await this.#last
    return true
  }

  tells(expected: JsonObject): JsonObject | undefined {
    return 'receipt' in expected ? expected : undefined
  }

  reading(): void {}

  async leave(): Promise<void> {
    await this.#last
    this.inbox.end({})
  }

  async #post(id: number, message: Envelope, isAsked: boolean): Promise<void> {
    const { httpUrl, trace, withinMs } = this.#dial
    const response = await fetch(`${httpUrl}/v1/messages`, {
      method: 'POST',
      headers: this.#headers,
      body: toBinary(EnvelopeSchema, message),
      signal: AbortSignal.timeout(withinMs),
    })
    const receipt = response.ok ? await receiptOf(response) : await this.#refusal(response)
    trace(`← ${response.status} ${show(receipt)}`)
    // HTTP always answers; a script that did not ask for it does not expect it (PH-8.2).
    if (!isAsked && response.ok) return
    this.inbox.push({ frame: { ...(id !== 0 && { id }), receipt }, packet: 0 })
  }

  async #refusal(response: Response): Promise<JsonObject> {
    const type = response.headers.get('content-type') ?? ''
    if (!type.startsWith('application/problem+json')) {
      this.violations.push(`PH-18.6: a refusal as ${type}`)
    }
    const { code = '', detail = '' } = (await response.json()) as Record<string, string>
    const { httpStatus, temporary } = codeNamed(code)
    if (httpStatus !== response.status) {
      this.violations.push(`PH-18.6: status ${response.status} for ${code}, not ${httpStatus}`)
    }
    if (temporary && !response.headers.has('retry-after')) {
      this.violations.push(`PH-18.6: no Retry-After for ${code}`)
    }
    return { status: 'RECEIPT_STATUS_REJECTED', code: `CODE_${code}`, detail }
  }
}

async function receiptOf(response: Response): Promise<JsonObject> {
  const bytes = new Uint8Array(await response.arrayBuffer())
  return toJson(ReceiptSchema, fromBinary(ReceiptSchema, bytes)) as JsonObject
}
