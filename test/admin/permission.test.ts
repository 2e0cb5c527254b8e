/**
 * Every method of every service of the table: who may not call it is told so, and what is another
 * account's is as if it were not there (threats C1, A15). What is added is tried by itself.
 */
import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf'
import { Role } from '@porthouse/proto/admin/v1/options'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessOf } from '../../gateway/admin/calls/access.ts'
import { rulesOf } from '../../gateway/admin/calls/rules.ts'
import { SERVICES } from '../../gateway/admin/services.ts'
import type { ApiRole } from '../../gateway/store/administration.ts'
import { adminClient, type Failed, failure } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'

const UUID = '0190f3a4-0000-7000-8000-000000000000'
const OWN = 'accounts/acme'
const ROLES: ReadonlyMap<ApiRole, Role> = new Map([
  ['owner', Role.OWNER],
  ['admin', Role.ADMIN],
  ['auditor', Role.AUDITOR],
])

let gateway: TestGateway
/** By role, of the account acme. */
const keys = new Map<ApiRole, string>()
let token: string

beforeAll(async () => {
  gateway = await TestGateway.start({ admin: { burst: 10_000, perSecond: 10_000 } })
  await gateway.room('acme/hall')
  await gateway.room('other/hall')
  token = await gateway.token('acme', ['hall'])
  for (const role of ROLES.keys()) keys.set(role, await gateway.apiKey(role, 'acme'))
})
afterAll(() => gateway.stop())

const methods = SERVICES.flatMap(({ service }) => service.methods).map(
  (method) => [`${method.parent.name}/${method.name}`, method] as const,
)

/** Calls a method and, where it streams, waits for its first answer. */
async function call(
  method: DescMethod,
  key: string | undefined,
  request: Message,
): Promise<Failed> {
  const client = adminClient(method.parent, gateway, key) as Record<string, Calling>
  const answer = client[method.localName]!(request)
  if (method.methodKind === 'unary') return failure(answer as Promise<unknown>)
  const stream = (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  return failure(stream.next())
}

type Calling = (request: Message) => Promise<unknown> | AsyncIterable<unknown>

/** A request with all that its rules require, of which every name is in an account. */
function requestIn(schema: DescMessage, account: string): Message {
  const message = create(schema) as Message & Record<string, unknown>
  for (const field of schema.fields) {
    const { required, resource } = rulesOf(field)
    const isNamed = resource.startsWith('accounts/')
    if (required || isNamed) message[field.localName] = valueIn(field, account, resource)
  }
  return message
}

function valueIn(field: DescField, account: string, resource: string): unknown {
  if (field.fieldKind === 'message') return requestIn(field.message, account)
  if (field.fieldKind === 'enum') return field.enum.values[1]!.number
  if (resource !== '') return nameOf(resource.split(' ')[0]!, account)
  if (field.fieldKind !== 'scalar') return []
  return field.scalar === ScalarType.STRING ? 'x' : 1
}

function nameOf(form: string, account: string): string {
  const parts = form.replace('accounts/*', account).split('/')
  const isUuid = /^(tokens|connectionKeys|apiKeys|credentials)$/
  return parts
    .map((part, i) => (part !== '*' ? part : isUuid.test(parts[i - 1]!) ? UUID : 'x'))
    .join('/')
}

/** Whether it names something in an account, so that it can be another's. */
function hasName({ input }: DescMethod): boolean {
  return JSON.stringify(requestIn(input, 'accounts/marked'), (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  ).includes('accounts/marked')
}

describe.each(methods)('%s', (_, method) => {
  const { roles } = accessOf(method)

  test('says who may call it', () => {
    expect(roles.size).toBeGreaterThan(0)
    expect(roles).toContain(Role.OPERATOR)
  })

  test('is nobody else’s', async () => {
    const request = requestIn(method.input, OWN)
    expect((await call(method, undefined, request)).code).toBe('UNAUTHENTICATED')
    expect((await call(method, 'pho_wrong', request)).code).toBe('UNAUTHENTICATED')
    for (const [role, known] of ROLES) {
      if (roles.has(known)) continue
      expect((await call(method, keys.get(role), request)).code).toBe('ROLE_NOT_PERMITTED')
    }
    if (roles.has(Role.TOKEN)) return
    expect((await call(method, token, request)).code).toBe('ROLE_NOT_PERMITTED')
  })
})

describe.each(methods.filter(([, method]) => hasName(method)))('%s', (_, method) => {
  test('finds nothing in another account', async () => {
    for (const [role, known] of ROLES) {
      if (!accessOf(method).roles.has(known)) continue
      const foreign = await call(method, keys.get(role), requestIn(method.input, 'accounts/other'))
      const absent = await call(method, keys.get(role), requestIn(method.input, 'accounts/absent'))
      expect(foreign.code).toBe('RESOURCE_UNKNOWN')
      expect(absent.message.replaceAll('absent', 'other')).toBe(foreign.message)
    }
  })
})
