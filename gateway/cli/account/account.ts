/** `porthouse account …` (R1). */
import { type Account, AccountService } from '@porthouse/proto/admin/v1/account_service'
import { newSlug } from '../names.ts'
import { print, printJson, printTable } from '../output.ts'
import { accountResource, idIn, timeOf } from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'

export async function createAccount(name: string, options: AdminOptions): Promise<void> {
  const accountId = newSlug(name, 'account')
  const made = await withAdmin(options, (admin) =>
    admin(AccountService).createAccount({ accountId }),
  )
  if (options.json) return printJson(forScripts(made))
  print(`account ${name} is made; give it a room: porthouse room create ${name}/ROOM`)
}

export async function listAccounts(options: AdminOptions): Promise<void> {
  const accounts = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(AccountService).listAccounts(page),
      (page) => page.accounts,
    ),
  )
  const rows = accounts.map(forScripts)
  if (options.json) return printJson(rows)
  printTable(
    ['account', 'id', 'created'],
    rows.map(({ slug, id, createdAt }) => [slug, id, createdAt]),
  )
}

export async function showAccount(typed: string, options: AdminOptions): Promise<void> {
  const name = accountResource(typed)
  const account = await withAdmin(options, (admin) => admin(AccountService).getAccount({ name }))
  const shown = forScripts(account)
  if (options.json) return printJson(shown)
  printTable(['account', shown.slug], Object.entries(shown))
}

export async function deleteAccount(typed: string, options: AdminOptions): Promise<void> {
  const name = accountResource(typed)
  await withAdmin(options, (admin) => admin(AccountService).deleteAccount({ name }))
  if (options.json) return printJson({ deleted: typed })
  print(`account ${typed} is deleted, with its rooms and tokens`)
}

function forScripts({ name, uid, createTime }: Account) {
  return { id: uid, slug: idIn(name), createdAt: timeOf(createTime!) }
}
