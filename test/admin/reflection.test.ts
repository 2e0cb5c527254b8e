/** gRPC's server reflection: what tools that know no schema find out. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { create, createFileRegistry, fromBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { Code } from '@connectrpc/connect'
import { SocketService } from '@porthouse/proto/admin/v1/socket_service'
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from '@porthouse/proto/grpc/reflection/v1/reflection'
import { ServerReflection as Alpha } from '@porthouse/proto/grpc/reflection/v1alpha/reflection'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'
import { root } from '../tidy/root.ts'

type Asked = MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest']
type Told = ServerReflectionResponse['messageResponse']

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterAll(() => gateway.stop())

/** What is told to these questions on one stream. */
async function ask(
  asked: readonly Asked[],
  { service = ServerReflection, at = gateway, key = undefined as string | undefined } = {},
): Promise<Told[]> {
  const client = adminClient(service, at, key, 'grpc')
  const requests = (async function* () {
    for (const messageRequest of asked) yield { host: 'here', messageRequest }
  })()
  const told: Told[] = []
  for await (const { messageResponse, validHost } of client.serverReflectionInfo(
    requests as never,
  )) {
    expect(validHost).toBe('here')
    told.push(messageResponse)
  }
  return told
}

function filesIn(told: Told | undefined) {
  if (told?.case !== 'fileDescriptorResponse') throw new Error(`it was ${told?.case}`)
  return told.value.fileDescriptorProto.map((each) => fromBinary(FileDescriptorProtoSchema, each))
}

describe('reflection', () => {
  test.each([
    ['v1', ServerReflection],
    ['v1alpha', Alpha as unknown as typeof ServerReflection],
  ])('%s lists what services there are', async (_, service) => {
    const [told] = await ask([{ case: 'listServices', value: '' }], { service })
    const names = told?.case === 'listServicesResponse' ? told.value.service : []
    expect(names.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'porthouse.admin.v1.SocketService',
        'porthouse.admin.v1.AccountService',
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
      ]),
    )
  })

  test('gives a whole schema for a symbol', async () => {
    const [told] = await ask([{ case: 'fileContainingSymbol', value: SocketService.typeName }])
    const file = filesIn(told)
    expect(file[0]?.name).toBe('porthouse/admin/v1/socket_service.proto')
    const schemas = createFileRegistry(create(FileDescriptorSetSchema, { file: file.reverse() }))
    expect(schemas.getService(SocketService.typeName)?.methods.map(({ name }) => name)).toEqual(
      SocketService.methods.map(({ name }) => name),
    )
  })

  test.each([
    ['porthouse.admin.v1.SocketService.GetSocket', 'admin/v1/socket_service'],
    ['porthouse.admin.v1.Socket', 'admin/v1/socket_service'],
    ['porthouse.admin.v1.Socket.rooms', 'admin/v1/socket_service'],
    ['porthouse.admin.v1.WatchSocketsResponse.event', 'admin/v1/socket_service'],
    ['porthouse.admin.v1.Transport', 'admin/v1/socket_service'],
    ['porthouse.admin.v1.TRANSPORT_MQTT', 'admin/v1/socket_service'],
    ['porthouse.admin.v1.access', 'admin/v1/options'],
    ['porthouse.v1.Code', 'v1/code'],
  ])('finds %s in %s', async (value, path) => {
    const [told] = await ask([{ case: 'fileContainingSymbol', value }])
    expect(filesIn(told)[0]?.name).toBe(`porthouse/${path}.proto`)
  })

  test('sends what it has sent on a stream only where it is asked for again', async () => {
    const value = 'porthouse/admin/v1/socket_service.proto'
    const asked = { case: 'fileByFilename', value } as const
    const [first, again] = await ask([asked, asked])
    expect(filesIn(first).length).toBeGreaterThan(1)
    expect(filesIn(again).map(({ name }) => name)).toEqual([value])
  })

  test('knows extensions', async () => {
    const containingType = 'google.protobuf.MethodOptions'
    const [numbers, file, none] = await ask([
      { case: 'allExtensionNumbersOfType', value: containingType },
      { case: 'fileContainingExtension', value: { containingType, extensionNumber: 50_002 } },
      { case: 'allExtensionNumbersOfType', value: 'none' },
    ])
    expect(numbers).toMatchObject({ value: { extensionNumber: [50_002] } })
    expect(filesIn(file)[0]?.name).toBe('porthouse/admin/v1/options.proto')
    expect(none).toMatchObject({ value: { errorCode: Code.NotFound } })
  })

  test('says what it does not know, and goes on', async () => {
    const told = await ask([
      { case: 'fileByFilename', value: '../../etc/passwd' },
      { case: 'fileContainingSymbol', value: '__proto__' },
      undefined as never,
      { case: 'listServices', value: '*' },
    ])
    expect(told.map((each) => each.case)).toEqual([
      'errorResponse',
      'errorResponse',
      'errorResponse',
      'listServicesResponse',
    ])
  })

  test('is for those alone who have credentials where the settings say so', async () => {
    const beside = await gateway.beside({ admin: { reflection: false } })
    const asked = [{ case: 'listServices', value: '' } as const]
    const refused = await failure(ask(asked, { at: beside }))
    expect(refused.code).toBe('UNAUTHENTICATED')
    const key = await gateway.apiKey('auditor')
    expect(await ask(asked, { at: beside, key })).toHaveLength(1)
    await beside.stop()
  })
})

test('buf curl calls a method by it', async () => {
  const key = await gateway.operatorKey()
  const url = `http://127.0.0.1:${gateway.port}`
  const buf = join(root, 'node_modules/.bin/buf')
  const { stdout } = await promisify(execFile)(buf, [
    'curl',
    ...['--protocol', 'grpc', '--http2-prior-knowledge'],
    ...['-H', `Authorization: Bearer ${key}`, '-d', '{}'],
    `${url}/porthouse.admin.v1.ServerService/GetServer`,
  ])
  expect(JSON.parse(stdout)).toMatchObject({ features: expect.arrayContaining(['admin']) })
})
