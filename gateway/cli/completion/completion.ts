/** `porthouse completion`: scripts for shells, and the names that they ask for. */
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { ClientService } from '@porthouse/proto/admin/v1/client_service'
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import type { Command } from 'commander'
import { print } from '../output.ts'
import { reachOf } from '../reach/reach.ts'
import { accountResource, idIn } from '../resource.ts'
import { type Admin, everyOf } from '../with-admin.ts'
import { bashScript, zshScript } from './bash.ts'
import { fishScript } from './fish.ts'
import type { Shell } from './shells.ts'
import { type NameKind, nodesOf } from './tree.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript }

/** More would help nobody. */
const NAMES_MAX = 200

export function printCompletion(shell: Shell, program: Command): void {
  print(SCRIPTS[shell](nodesOf(program)).trimEnd())
}

/** Names that begin so, one a line; none where no gateway answers at once. */
export async function printNames(kind: NameKind, prefix = ''): Promise<void> {
  const reach = await reachOf({})
  if (!reach) return
  const { throughApi } = await import('../reach/through.ts')
  const names = await throughApi(reach, (admin) => namesOf(admin, kind, prefix))
  for (const name of names) if (name.startsWith(prefix)) print(name)
}

async function namesOf(admin: Admin, kind: NameKind, prefix: string): Promise<string[]> {
  const [account = '', within] = prefix.split('/')
  if (kind === 'account' || within === undefined) {
    const accounts = await everyOf(
      (page) => admin(AccountService).listAccounts(page),
      (page) => page.accounts,
      NAMES_MAX,
    )
    return accounts.map(({ name }) => `${idIn(name)}${kind === 'account' ? '' : '/'}`)
  }
  const parent = accountResource(account)
  const found =
    kind === 'room'
      ? await everyOf(
          (page) => admin(RoomService).listRooms({ parent, ...page }),
          (page) => page.rooms,
          NAMES_MAX,
        )
      : await everyOf(
          (page) => admin(ClientService).listClients({ parent, ...page }),
          (page) => page.clients,
          NAMES_MAX,
        )
  return found.map(({ name }) => `${account}/${idIn(name)}`)
}
