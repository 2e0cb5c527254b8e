/** POST /v1/messages: a message over plain HTTP, the third medium beside sockets and MQTT (R6). */
import { toBinary, toJsonString } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { type Receipt, ReceiptSchema } from '@porthouse/proto/v1/receipt'
import type { Config } from '../../../config/config.ts'
import { Refusal } from '../../../protocol/codes.ts'
import { MESSAGE_HEADER } from '../../../protocol/refused-message.ts'
import type { Bearer } from '../../../session/posts/author.ts'
import type { Posters } from '../../../session/posts/posters.ts'
import { authorTo, type FindAccount, messageName, send } from '../../../session/posts/send.ts'
import type { Store } from '../../../store/store.ts'
import { Bodies } from '../body.ts'
import { type Form, formOf, TYPE_OF, wantedForm } from '../media-type.ts'
import { type HttpRequest, type HttpResponse, type Route, respond } from '../route.ts'
import { extrasOf } from './extras.ts'
import { readMessage } from './read-message.ts'
import { Turns } from './turns.ts'

export interface MessagesOptions {
  readonly config: Config
  readonly store: Pick<Store, 'accounts'>
  readonly posters: Posters
  /** Whose the credentials of a request are. Rejects with Refusal, or the store's error. */
  readonly bearer: (request: HttpRequest) => Promise<Bearer>
}

export function messagesRoute({ config, store, posters, bearer }: MessagesOptions): Route {
  const { limits, messages } = config
  const bodies = new Bodies({ one: limits.packetBytes, all: messages.bodyBytes })
  const find: FindAccount = (name) => store.accounts.find(name)
  const turns = new Turns()
  return {
    method: 'POST',
    path: /^\/v1\/messages$/,
    async answer(request, response) {
      const turn = turns.take(request)
      try {
        const caller = await bearer(request)
        const form = bodyForm(request, response)
        const wanted = answerForm(request, form)
        const extras = extrasOf(request.headers)
        await bodies.use(request, async (body) => {
          const envelope = readMessage(body, form, extras, limits)
          const author = await authorTo(caller, envelope.to, find)
          await turn.begins
          tell(response, wanted, await send(posters, author, envelope, turn.end))
        })
      } finally {
        turn.end()
      }
    },
  }
}

function bodyForm({ headers }: HttpRequest, response: HttpResponse): Form {
  const { 'content-encoding': coding = 'identity', 'content-type': type } = headers
  if (coding !== 'identity') {
    response.setHeader('accept-encoding', 'identity')
    throw new Refusal(Code.MEDIA_TYPE_UNSUPPORTED, 'bodies are taken without a Content-Encoding')
  }
  const form = formOf(type)
  if (form) return form
  response.setHeader('accept', Object.values(TYPE_OF).join(', '))
  const detail = `Content-Type is to be ${Object.values(TYPE_OF).join(' or ')}`
  throw new Refusal(Code.MEDIA_TYPE_UNSUPPORTED, detail)
}

/** As the message came, where nothing else is wanted. */
function answerForm({ headers }: HttpRequest, usual: Form): Form {
  const form = wantedForm(headers.accept, usual)
  if (form) return form
  const detail = `a receipt is ${Object.values(TYPE_OF).join(' or ')}`
  throw new Refusal(Code.NOT_ACCEPTABLE, detail)
}

/** By what the client takes, and by whose page asks (CORS). */
const VARY = 'accept, origin'

function tell(response: HttpResponse, form: Form, receipt: Receipt): void {
  const headers = {
    'content-type': TYPE_OF[form],
    'cache-control': 'no-store',
    vary: VARY,
    [MESSAGE_HEADER]: messageName(receipt.id),
  }
  const body =
    form === 'json' ? `${toJsonString(ReceiptSchema, receipt)}\n` : toBinary(ReceiptSchema, receipt)
  respond(response, 200, headers, body)
}
