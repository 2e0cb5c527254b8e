/** gRPC's health protocol, open to everybody. */
import { Code, ConnectError } from '@connectrpc/connect'
import { SocketService } from '@porthouse/proto/admin/v1/socket_service'
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '@porthouse/proto/grpc/health/v1/health'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminClient } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await TestGateway.start()
})
afterAll(() => gateway.stop())

describe.each(['connect', 'grpc', 'grpc-web'] as const)('by %s', (by) => {
  const health = (at: TestGateway) => adminClient(Health, at, undefined, by)

  test('the gateway and its services serve', async () => {
    for (const service of ['', SocketService.typeName, Health.typeName]) {
      expect(await health(gateway).check({ service })).toMatchObject({ status: Status.SERVING })
    }
    const unknown = await health(gateway)
      .check({ service: 'none' })
      .catch((error) => ConnectError.from(error))
    expect(unknown).toMatchObject({ code: Code.NotFound })
  })

  test('whoever watches is told of the end', async () => {
    const beside = await gateway.beside()
    const told: Status[] = []
    const watching = (async () => {
      for await (const { status } of health(beside).watch({})) {
        if (told.push(status) === 1) void beside.stop()
      }
    })().catch(() => undefined)
    await watching
    expect(told).toEqual([Status.SERVING, Status.NOT_SERVING])
    await beside.stop()
  })

  test('a service that is not there is watched as unknown', async () => {
    for await (const { status } of health(gateway).watch({ service: 'none' })) {
      expect(status).toBe(Status.SERVICE_UNKNOWN)
      break
    }
  })
})

test('nobody serves whose store is away', async () => {
  const { store } = gateway
  const away = { ...store, ping: () => Promise.reject(new Error('away')) }
  const beside = await gateway.beside({}, Object.assign(Object.create(store), away))
  const health = adminClient(Health, beside, undefined)
  expect(await health.check({})).toMatchObject({ status: Status.NOT_SERVING })
  await beside.stop()
})
