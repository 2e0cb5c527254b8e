/** Offenders by the admin API: seen and forgiven, all of them or those of an account (R17). */
import { randomUUID } from 'node:crypto'
import { timestampDate } from '@bufbuild/protobuf/wkt'
import type { Client } from '@connectrpc/connect'
import { AuditService } from '@porthouse/proto/admin/v1/audit_service'
import { OffenderService } from '@porthouse/proto/admin/v1/offender_service'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { adminClient, codes, failure, pagesOf } from '../support/admin.ts'
import { TestGateway } from '../support/gateway.ts'

const ALL = '-'
const at = new Date('2030-01-02T03:04:05.678Z')
const NETWORKS = ['address:203.0.113.0/24', 'address:203.0.114.0/24', 'address:2001:db8:0:1::/64']
const IDENTITIES = [
  'identity:client:acme/ann',
  'identity:client:acme/bob',
  'identity:client:acme-2/ann',
  'identity:client:other/ann',
  `identity:token:${randomUUID()}`,
]

let gateway: TestGateway
let operator: string
let offenders: Client<typeof OffenderService>

beforeAll(async () => {
  gateway = await TestGateway.start()
  operator = await gateway.operatorKey()
  offenders = adminClient(OffenderService, gateway, operator)
  for (const slug of ['acme', 'acme-2', 'other']) await gateway.store.accounts.create({ slug })
})
beforeEach(async () => {
  await gateway.store.offences.clear()
  await gateway.store.offences.add([...NETWORKS, ...IDENTITIES], at, 60_000)
})
afterAll(() => gateway.stop())

const code = async (call: Promise<unknown>) => (await failure(call)).code

async function listed(parent: string, client = offenders): Promise<string[]> {
  const pages = await pagesOf(async (pageToken) => {
    const page = await client.listOffenders({ parent, pageSize: 3, pageToken })
    const items = page.offenders.map(({ subject }) => subject)
    return { items, nextPageToken: page.nextPageToken }
  })
  return pages.flat()
}

describe('offenders', () => {
  test('are listed to the end, the latest first', async () => {
    const later = new Date(at.getTime() + 60_000)
    await gateway.store.offences.add([NETWORKS[1]!], later, 60_000)
    const all = await listed(ALL)
    expect(all).toEqual([NETWORKS[1], ...[NETWORKS[0], NETWORKS[2], ...IDENTITIES].toSorted()])
    const [first] = (await offenders.listOffenders({ parent: ALL, pageSize: 1 })).offenders
    expect(first).toMatchObject({ subject: NETWORKS[1], count: 2n, score: 1.5 })
    expect(timestampDate(first!.lastTime!)).toEqual(later)
  })

  test('of an account are those who claimed to be its clients', async () => {
    const account = await gateway.store.accounts.find('acme')
    const byId = `identity:client:${account!.id}/ann`
    await gateway.store.offences.add([byId], at, 60_000)
    const own = [byId, IDENTITIES[0], IDENTITIES[1]].toSorted()
    const owner = adminClient(OffenderService, gateway, await gateway.apiKey('owner', 'acme'))
    expect(await listed('accounts/acme', owner)).toEqual(own)
    for (const subject of [NETWORKS[0]!, IDENTITIES[2]!, IDENTITIES[3]!, 'identity:client:x/y']) {
      const call = owner.clearOffenders({ parent: 'accounts/acme', subject })
      expect(await failure(call)).toMatchObject({
        code: 'RESOURCE_UNKNOWN',
        message: `there is no offender ${subject}`,
      })
    }
    const subject = IDENTITIES[0]!
    const one = await owner.clearOffenders({ parent: 'accounts/acme', subject })
    expect(one.cleared).toBe(1)
    const rest = await owner.clearOffenders({ parent: 'accounts/acme', all: true })
    expect(rest.cleared).toBe(2)
    const left = [...NETWORKS, ...IDENTITIES.slice(2)]
    expect(await listed(ALL)).toEqual(left.toSorted())
  })

  test.each([
    ['address:203.0.113.0/24', [0]],
    ['address:203.0.113.77', [0]],
    ['address:::ffff:203.0.113.77', [0]],
    ['address:203.0.0.0/16', [0, 1]],
    ['address:0.0.0.0/0', [0, 1]],
    ['address:2001:DB8:0:1::5', [2]],
    ['address:2001:db8::/32', [2]],
  ])('are forgiven by %s', async (subject, which) => {
    const gone = which.map((i) => NETWORKS[i]!)
    const call = { parent: ALL, subject }
    expect(await offenders.clearOffenders({ ...call, validateOnly: true })).toMatchObject({
      cleared: gone.length,
    })
    expect(await listed(ALL)).toHaveLength(NETWORKS.length + IDENTITIES.length)
    expect((await offenders.clearOffenders(call)).cleared).toBe(gone.length)
    const left = [...NETWORKS, ...IDENTITIES].filter((each) => !gone.includes(each))
    expect(await listed(ALL)).toEqual(left.toSorted())
    expect(await code(offenders.clearOffenders(call))).toBe('RESOURCE_UNKNOWN')
  })

  test('are all forgiven at once, once by a request id, and it is written down', async () => {
    const count = NETWORKS.length + IDENTITIES.length
    const call = { parent: ALL, all: true, requestId: randomUUID() }
    expect((await offenders.clearOffenders(call)).cleared).toBe(count)
    await gateway.store.offences.add(NETWORKS, at, 60_000)
    expect((await offenders.clearOffenders(call)).cleared).toBe(count)
    expect(await listed(ALL)).toHaveLength(NETWORKS.length)
    const subject = NETWORKS[0]!
    await offenders.clearOffenders({ parent: ALL, subject })
    const log = adminClient(AuditService, gateway, operator)
    const { entries } = await log.listAuditEntries({ parent: ALL, pageSize: 2 })
    expect(entries).toMatchObject([
      { method: 'OffenderService/ClearOffenders', resource: subject },
      { method: 'OffenderService/ClearOffenders', resource: ALL },
    ])
  })
})

describe('refused', () => {
  test('what is no subject', async () => {
    const wrong = [
      { subject: '' },
      { subject: NETWORKS[0]!, all: true },
      { subject: 'x' },
      { subject: 'identity:' },
      { subject: 'address:' },
      { subject: 'address:203.0.113' },
      { subject: 'address:203.0.113.0/33' },
      { subject: 'address:203.0.113.0/24/24' },
      { subject: 'address:2001:db8::/129' },
      { subject: 'address:fe80::1%eth0' },
      { subject: "address:' or true --" },
    ]
    for (const call of wrong) {
      const { problem } = await failure(offenders.clearOffenders({ parent: ALL, ...call }))
      expect(problem?.violations, JSON.stringify(call)).toMatchObject([{ field: 'subject' }])
    }
    for (const parent of ['', 'x', 'accounts/A', 'accounts/acme/rooms/x']) {
      expect(['ARGUMENT_INVALID', 'ADDRESS_INVALID']).toContain(
        await code(offenders.listOffenders({ parent })),
      )
    }
    const { nextPageToken: pageToken } = await offenders.listOffenders({ parent: ALL, pageSize: 1 })
    const stray = offenders.listOffenders({ parent: 'accounts/acme', pageToken })
    expect(await code(stray)).toBe('PAGE_TOKEN_INVALID')
  })

  test('those who may not know of all, or may change nothing', async () => {
    const as = async (role: 'owner' | 'auditor', account?: string) =>
      adminClient(OffenderService, gateway, await gateway.apiKey(role, account))
    const [owner, auditor, all] = [
      await as('owner', 'acme'),
      await as('auditor', 'acme'),
      await as('auditor'),
    ]
    const calls = [
      owner.listOffenders({ parent: ALL }),
      owner.clearOffenders({ parent: ALL, all: true }),
      owner.listOffenders({ parent: 'accounts/other' }),
      owner.clearOffenders({ parent: 'accounts/none', all: true }),
      auditor.listOffenders({ parent: ALL }),
    ]
    expect(new Set(await codes(...calls))).toEqual(new Set(['RESOURCE_UNKNOWN']))
    expect(await listed(ALL, all)).toHaveLength(NETWORKS.length + IDENTITIES.length)
    expect(await listed('accounts/acme', auditor)).toHaveLength(2)
    const changes = [
      auditor.clearOffenders({ parent: 'accounts/acme', all: true }),
      all.clearOffenders({ parent: ALL, all: true }),
    ]
    expect(new Set(await codes(...changes))).toEqual(new Set(['ROLE_NOT_PERMITTED']))
    const nobody = adminClient(OffenderService, gateway, undefined)
    expect(await code(nobody.listOffenders({ parent: ALL }))).toBe('UNAUTHENTICATED')
  })
})
