/** What is served over HTTP beside the services: messages, health and metrics. */
import type { FileRegistry } from '@bufbuild/protobuf'
import type { Schema, Schemas } from './json-schema.ts'

const PROBLEM = {
  type: 'object',
  description: 'A problem (RFC 9457) with a code of the table.',
  required: ['title', 'status', 'code'],
  properties: {
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Name of the code, for instance ROOM_UNKNOWN.' },
    detail: { type: 'string' },
    violations: {
      type: 'array',
      items: {
        type: 'object',
        properties: { field: { type: 'string' }, description: { type: 'string' } },
      },
    },
  },
}

const KEY_HEADER = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same key and body again is sent once, and answered with the first facts.',
  schema: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[!-~]+$' },
}

export function plainPaths(protos: FileRegistry, schemas: Schemas): Record<string, Schema> {
  const message = protos.getMessage('porthouse.admin.v1.SendMessageRequest')
  const receipt = protos.getMessage('porthouse.v1.Receipt')
  if (!message || !receipt) throw new Error('no message to send, or no receipt')
  const problem = schemas.add('Problem', PROBLEM)
  const failed = {
    description: 'It was refused as a whole.',
    content: { 'application/problem+json': { schema: problem } },
  }
  const text = (description: string) => ({ description, content: { 'text/plain': {} } })
  return {
    '/v1/messages': {
      post: {
        operationId: 'sendMessage',
        tags: ['MessageService'],
        summary: 'Sends a message, and answers with its receipt (R6).',
        parameters: [KEY_HEADER],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: schemas.of(message, 'read') } },
        },
        responses: {
          200: {
            description: 'What became of it; each destination that refused it is named.',
            content: { 'application/json': { schema: schemas.of(receipt, 'written') } },
          },
          default: failed,
        },
      },
    },
    '/healthz': plain('healthz', 'Whether the process answers.', text('It does.'), failed),
    '/readyz': plain('readyz', 'Whether the gateway can do its work.', text('It can.'), failed),
  }
}

function plain(operationId: string, summary: string, fine: Schema, default_: Schema): Schema {
  return {
    get: { operationId, summary, security: [], responses: { 200: fine, default: default_ } },
  }
}
