/** Who has given wrong answers to the teleprinter, and forgiveness (R17). */
import { isIP } from 'node:net'
import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { OffenderSchema, type OffenderService } from '@porthouse/proto/admin/v1/offender_service'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import { invalid } from '../protocol/violations.ts'
import type { Account, Offence, OffenceChoice } from '../store/store.ts'
import { parentOf } from './accounts.ts'
import { callOf } from './calls/call.ts'
import type { AdminParts } from './parts.ts'

const ADDRESS = 'address:'

type Position = readonly [at: string, subject: string]

export function offenderService({
  store: { accounts, offences },
  pages,
}: AdminParts): ServiceImpl<typeof OffenderService> {
  return {
    async listOffenders(request, context) {
      const query = ['offenders', request.parent, callOf(context).principal.id]
      const page = pages.page<Position>(request, query)
      const choice = everybody(await parentOf(accounts, request.parent))
      const { after: [at, subject] = [], limit } = page
      const after = at && subject ? { at: new Date(at), subject } : undefined
      const found = await offences.list({ after, limit: limit + 1 }, choice)
      const { items, nextPageToken } = pages.cut(found, page, query, positionOf)
      return { offenders: items.map(shown), nextPageToken }
    },

    async clearOffenders({ parent, subject, all, validateOnly }, context) {
      if ((subject === '') !== all) throw invalid('subject', 'is given, or all is set, not both')
      const account = await parentOf(accounts, parent)
      const choice = all ? everybody(account) : one(subject, account)
      const cleared = validateOnly
        ? (await offences.list({ limit: MANY }, choice)).length
        : await offences.clear(choice)
      callOf(context).changed = { resource: all ? parent : subject }
      if (!all && cleared === 0) throw unknown(subject)
      return { cleared }
    },
  }
}

/** More than are kept. */
const MANY = 100_000

/** Of an account: what was claimed in the names of its clients. */
function everybody(account: Account | undefined): OffenceChoice | undefined {
  return account && { prefixes: claimedIn(account) }
}

function claimedIn({ id, slug }: Account): string[] {
  return [slug, id].map((name) => `identity:client:${name}/`)
}

/** Throws Violations, and Refusal RESOURCE_UNKNOWN for what is not of the account. */
function one(subject: string, account: Account | undefined): OffenceChoice {
  if (account && !claimedIn(account).some((prefix) => subject.startsWith(prefix))) {
    throw unknown(subject)
  }
  if (subject.startsWith(ADDRESS)) return { network: networkOf(subject.slice(ADDRESS.length)) }
  if (/^identity:./s.test(subject)) return { subject }
  throw invalid('subject', 'starts neither with address: nor with identity:')
}

const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.)/i

/** Throws Violations. */
function networkOf(given: string): string {
  const network = given.replace(IPV4_IN_IPV6, '')
  const [address = '', bits, ...more] = network.split('/')
  const most = { 4: 32, 6: 128 }[isIP(address)] ?? -1
  const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
  if (most > 0 && isPrefix && more.length === 0 && !address.includes('%')) return network
  throw invalid('subject', 'is no IP address, nor a prefix such as 203.0.113.0/24')
}

function unknown(subject: string): Refusal {
  return new Refusal(Code.RESOURCE_UNKNOWN, `there is no offender ${subject}`)
}

function positionOf({ at, subject }: Offence): Position {
  return [at.toISOString(), subject]
}

function shown({ subject, count, score, at }: Offence) {
  const lastTime = timestampFromDate(at)
  return create(OffenderSchema, { subject, count: BigInt(count), score, lastTime })
}
