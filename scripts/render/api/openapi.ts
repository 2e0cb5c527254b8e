/** docs/api/openapi.json: what plain HTTP with JSON is answered, for tools that read OpenAPI. */
import type { DescMethod, DescService, FileRegistry } from '@bufbuild/protobuf'
import { ProblemSchema } from '@porthouse/proto/admin/v1/problem'
import { commentOfFile } from '../proto-comments.ts'
import { pathOfMethod, rolesOf, servicesIn, toldOf, unaryMethods } from './api.ts'
import { type Schema, Schemas } from './json-schema.ts'
import { plainPaths } from './plain-paths.ts'

const ERROR = {
  type: 'object',
  description: 'An error of Connect, with a porthouse.admin.v1.Problem in its details.',
  required: ['code'],
  properties: {
    code: { type: 'string', description: 'Name of a code of Connect.' },
    message: { type: 'string', description: 'For a person; not API.' },
    details: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          type: { type: 'string', description: `${ProblemSchema.typeName}, for instance.` },
          value: { type: 'string', description: 'It as Protobuf, in base64.' },
          debug: { description: 'It as Protobuf JSON.' },
        },
      },
    },
  },
}

export function renderOpenApi(protos: FileRegistry): string {
  const schemas = new Schemas()
  const error = schemas.add('Error', ERROR)
  const services = servicesIn(protos)
  const methods = services.flatMap(unaryMethods)
  const paths = methods.map((method) => [
    pathOfMethod(method),
    { post: operationOf(method, schemas, error) },
  ])
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'porthouse over HTTP',
      version: 'v1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'Administration and messages as JSON over plain HTTP. Methods that stream, and gRPC, are ' +
        'in the reference beside this file; WebSocket and MQTT in asyncapi.json.',
    },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'A gateway with its defaults.' }],
    tags: services.map(tagOf),
    security: [{ bearer: [] }],
    paths: { ...plainPaths(protos, schemas), ...Object.fromEntries(paths) },
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: "The operator's key, an API key, a JWT of the OpenID provider, or a token.",
        },
      },
      schemas: schemas.all,
    },
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function tagOf(service: DescService): Schema {
  return { name: service.name, description: commentOfFile(service.file) }
}

function operationOf(method: DescMethod, schemas: Schemas, error: Schema): Schema {
  const { prose } = toldOf(method)
  const [summary = method.name, ...more] = prose
  return {
    operationId: `${method.parent.name}_${method.name}`,
    tags: [method.parent.name],
    summary,
    description: [...more, `Roles: ${rolesOf(method).join(', ')}.`].join('\n\n'),
    requestBody: { required: true, content: json(schemas.of(method.input, 'read')) },
    responses: {
      200: { description: 'It is done.', content: json(schemas.of(method.output, 'written')) },
      415: { description: 'The request is neither JSON nor Protobuf.' },
      default: { description: 'It failed; see docs/codes.md.', content: json(error) },
    },
  }
}

function json(schema: Schema): Schema {
  return { 'application/json': { schema } }
}
