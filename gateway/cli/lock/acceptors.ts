/** `porthouse lock acceptors`: what locks may be made of (R18). */
import { FlowService } from '@porthouse/proto/admin/v1/flow_service'
import { print, printJson, printTable } from '../output.ts'
import { type AdminOptions, withAdmin } from '../with-admin.ts'

export async function listAcceptors(options: AdminOptions): Promise<void> {
  const { acceptors } = await withAdmin(options, (admin) => admin(FlowService).listAcceptors({}))
  if (options.json) {
    return printJson(
      acceptors.map(({ acceptor, proves, optionsSchema, inMainLobby, prompt }) => {
        return { acceptor, proves, inMainLobby, prompt, options: optionsSchema ?? null }
      }),
    )
  }
  printTable(
    ['acceptor', 'proves'],
    acceptors.map(({ acceptor, proves }) => [acceptor, proves || 'see its page']),
  )
  print('')
  print('options of each: --json, or docs/acceptors')
}
