/** Accounts (R1). */
import { create } from '@bufbuild/protobuf'
import { EmptySchema, timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { AccountSchema, type AccountService } from '@porthouse/proto/admin/v1/account_service'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'
import { checkSlug } from '../protocol/name.ts'
import type { Account, Accounts } from '../store/store.ts'
import { callOf, type State } from './calls/call.ts'
import { ALL, segments, unknownResource } from './names.ts'
import type { AdminParts } from './parts.ts'

export function accountService({
  store: { accounts },
  pages,
}: AdminParts): ServiceImpl<typeof AccountService> {
  return {
    async listAccounts(request, context) {
      const { principal } = callOf(context)
      const query = ['accounts', principal.id]
      const page = pages.page<string>(request, query)
      const found = principal.account
        ? [await accounts.find(principal.account.id)].flatMap((own) => own ?? [])
        : await accounts.list({ after: page.after, limit: page.limit + 1 })
      const { items, nextPageToken } = pages.cut(found, page, query, ({ slug }) => slug)
      return { accounts: items.map(shown), nextPageToken }
    },

    async getAccount({ name }) {
      return shown(await theAccount(accounts, name))
    },

    async createAccount({ accountId, validateOnly }, context) {
      checkSlug(accountId, 'account')
      if (validateOnly) {
        const taken = await accounts.find(accountId)
        if (taken) throw new Refusal(Code.RESOURCE_EXISTS, 'that account exists already')
        return { name: `accounts/${accountId}` }
      }
      const made = await accounts.create({ slug: accountId })
      callOf(context).changed = { after: state(made) }
      return shown(made)
    },

    async deleteAccount({ name, validateOnly }, context) {
      const found = await theAccount(accounts, name)
      if (!validateOnly) {
        callOf(context).changed = { before: state(found) }
        if (!(await accounts.delete(found.id))) throw unknownResource(name)
      }
      return create(EmptySchema)
    },
  }
}

/** By its name as a resource. Rejects with Refusal RESOURCE_UNKNOWN. */
export async function theAccount(accounts: Accounts, name: string): Promise<Account> {
  const [account] = segments('accounts/*', name)
  const found = await accounts.find(account!)
  if (!found) throw unknownResource(name)
  return found
}

/** Of a parent that may be `-`, which is no account. Rejects with Refusal RESOURCE_UNKNOWN. */
export async function parentOf(accounts: Accounts, parent: string): Promise<Account | undefined> {
  return parent === ALL ? undefined : theAccount(accounts, parent)
}

function shown({ id, slug, createdAt }: Account) {
  const createTime = timestampFromDate(createdAt)
  return create(AccountSchema, { name: `accounts/${slug}`, uid: id, createTime })
}

function state(account: Account): State {
  return { schema: AccountSchema, message: shown(account) }
}
