/** OpenTelemetry traces: a message's path as spans, in the trace that its sender began (R49). */
import { create } from '@bufbuild/protobuf'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { ExplainService } from '@porthouse/proto/admin/v1/explain_service'
import { HistorySchema, Keep } from '@porthouse/proto/room/v1/history'
import { LimitsSchema } from '@porthouse/proto/room/v1/limits'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Client, connect, type PorthouseError, type Room } from '../../clients/ts/src/index.ts'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=1' }

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

let gateway: TestGateway
let token: string
let client: Client
let hall: Room

beforeAll(async () => {
  gateway = await TestGateway.start()
  const limits = { case: 'limits', value: create(LimitsSchema, { payloadBytes: 8 }) } as const
  const history = { case: 'history', value: create(HistorySchema, { keep: Keep.DURABLE }) } as const
  await gateway.room('acme/hall', [limits, history])
  token = await gateway.token('acme', ['hall'])
  client = await connect(gateway.url, { token })
  hall = await client.join('acme/hall')
})
afterEach(() => exporter.reset())
afterAll(async () => {
  await client.close()
  await gateway.stop()
  await provider.shutdown()
})

function spans(name: RegExp): ReadableSpan[] {
  return exporter.getFinishedSpans().filter((span) => name.test(span.name))
}

test('without a provider nothing is made of it, and one that comes later gets all', async () => {
  await hall.send('one', { headers })
  provider.register()
  expect(exporter.getFinishedSpans()).toEqual([])
  await hall.send('two', { headers })
  expect(spans(/^publish/)).toHaveLength(1)
})

test('a message is a span in the trace of its sender, and its commit one below it', async () => {
  const { id, sequence } = await hall.send('hi', { channel: 'temp', level: 'stored', headers })
  const [message] = spans(/^publish room:acme\/hall$/)
  expect(message).toMatchObject({
    kind: SpanKind.PRODUCER,
    parentSpanContext: { traceId: TRACE, spanId: PARENT, isRemote: true },
    attributes: {
      'messaging.system': 'porthouse',
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'room:acme/hall/temp',
      'messaging.message.id': id,
      'messaging.message.body.size': 2,
    },
    status: { code: SpanStatusCode.UNSET },
  })
  expect(message?.spanContext().traceState?.get('vendor')).toBe('1')
  const [commit] = spans(/^store room:acme\/hall$/)
  expect(commit?.parentSpanContext?.spanId).toBe(message?.spanContext().spanId)
  expect(message?.events.map(({ name }) => name)).toEqual(
    ['resolve', 'permit', 'fit', 'recall', 'store', 'send'].map((step) => `porthouse.${step}`),
  )
  expect(message?.events.at(-1)?.attributes).toMatchObject({
    'porthouse.verdict': 'kept',
    'porthouse.sequence': Number(sequence),
  })
})

test('it says what the record says, of a message that was refused as well', async () => {
  const error = await hall.send('longer than eight', { headers }).catch((failed) => failed)
  const id = (error as PorthouseError).receipt?.id
  const [message] = spans(/^publish/)
  expect(message).toMatchObject({
    attributes: { 'error.type': 'PAYLOAD_TOO_LARGE', 'messaging.message.id': id },
    status: { code: SpanStatusCode.ERROR },
  })
  const why = adminClient(ExplainService, gateway, await gateway.operatorKey())
  const trail = await why.explainMessage({ name: `messages/${id}` })
  expect(trail.traceId).toBe(TRACE)
  expect(message?.events.at(-1)?.attributes?.['porthouse.decided_by']).toBe(
    trail.steps.at(-1)?.decidedBy,
  )
})

test('neither content nor headers nor secrets are in it', async () => {
  await hall.send('SECRET', { headers: { ...headers, other: 'SECRET' } })
  const told = exporter.getFinishedSpans().map(({ name, attributes, events, status }) => {
    return JSON.stringify({ name, attributes, events, status })
  })
  expect(told.length).toBeGreaterThan(0)
  expect(told.join('\n')).not.toContain('SECRET')
})

test('a sender that names no trace, or none that is one, begins a trace of its own', async () => {
  for (const traceparent of ['', 'nonsense', `00-${'0'.repeat(32)}-${PARENT}-01`, `ff-${TRACE}`]) {
    await hall.send('hi', traceparent === '' ? {} : { headers: { traceparent } })
  }
  const messages = spans(/^publish/)
  expect(messages).toHaveLength(4)
  for (const each of messages) expect(each.parentSpanContext).toBeUndefined()
  expect(new Set(messages.map((each) => each.spanContext().traceId)).size).toBe(4)
})

test('calls of the admin API are spans, and those that fail say by which code', async () => {
  const accounts = adminClient(AccountService, gateway, await gateway.operatorKey())
  const call = { headers }
  await accounts.getAccount({ name: 'accounts/acme' }, call)
  await failure(accounts.getAccount({ name: 'accounts/none' }, call))
  const [done, failed] = spans(/AccountService\/GetAccount$/)
  expect(done).toMatchObject({
    kind: SpanKind.SERVER,
    parentSpanContext: { traceId: TRACE },
    attributes: { 'rpc.system': 'connect_rpc', 'rpc.method': 'GetAccount' },
    status: { code: SpanStatusCode.UNSET },
  })
  expect(failed?.attributes['error.type']).toBe('RESOURCE_UNKNOWN')
  expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR })
})

test('a message that is posted is below the request that it came by', async () => {
  const { port } = gateway
  const answer = await fetch(`http://127.0.0.1:${port}/v1/messages`, {
    method: 'POST',
    headers: {
      ...headers,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ to: ['room:acme/hall'], text: 'hi' }),
  })
  expect(answer.status).toBe(200)
  const [request] = spans(/^POST \/v1\/messages$/)
  expect(request).toMatchObject({
    kind: SpanKind.SERVER,
    parentSpanContext: { traceId: TRACE, spanId: PARENT },
    attributes: { 'http.route': '/v1/messages', 'http.response.status_code': 200 },
  })
  const [message] = spans(/^publish/)
  expect(message?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
})
