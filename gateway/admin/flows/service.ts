/** Flows of the admin API: what guards a place, and what a socket would meet there (R18). */
import type { ServiceImpl } from '@connectrpc/connect'
import type { ExplainFlowRequest, FlowService } from '@porthouse/proto/admin/v1/flow_service'
import { Code } from '@porthouse/proto/v1/code'
import { PROVES } from '../../locks/acceptors/proves.ts'
import {
  formatAddress,
  type LobbyAddress,
  parsePlace,
  type RoomAddress,
} from '../../protocol/address.ts'
import { Refusal } from '../../protocol/codes.ts'
import { invalid } from '../../protocol/violations.ts'
import { checkAccess } from '../../rooms/blocks/access.ts'
import { Blocks } from '../../rooms/blocks/blocks.ts'
import { type DryRun, dryRun } from '../../session/entry/dry-run.ts'
import { type Store, StoreError } from '../../store/store.ts'
import { theAccount } from '../accounts.ts'
import { match, ROOM, unknownResource } from '../names.ts'
import type { AdminParts } from '../parts.ts'
import { violationsOf } from '../rooms/edited.ts'
import { readable, theRoom } from '../rooms/records.ts'
import { explained } from './explained.ts'
import { nameOfProof, proofsOf } from './proofs.ts'

export function flowService(parts: AdminParts): ServiceImpl<typeof FlowService> {
  const { store, flows, clock } = parts
  return {
    async listAcceptors() {
      const acceptors = [...flows.acceptors.values()].map((each) => {
        const { name: acceptor, nominable: inMainLobby, prompt } = each
        const optionsSchema = each.optionsSchema?.()
        const shown = { acceptor, proves: PROVES[acceptor] ?? '', inMainLobby, prompt }
        return { ...shown, ...(optionsSchema && { optionsSchema }) }
      })
      return { acceptors: acceptors.toSorted((a, b) => (a.acceptor < b.acceptor ? -1 : 1)) }
    },

    async explainFlow(request) {
      const { target, access } = await placeOf(store, request)
      const proofs = await proofsOf(store, target.account, request, clock())
      const run = await tried(parts, target, proofs)
      if (!run) throw unknownResource(request.place)
      return explained(run, { address: formatAddress(target), as: proofs.map(nameOfProof), access })
    },

    async checkFlow({ parent, access }) {
      await theAccount(store.accounts, parent)
      return { violations: violationsOf(checkAccess(access, flows), 'access') }
    },
  }
}

/** Rejects with Refusal. */
async function placeOf({ accounts, rooms }: Store, { place, channel }: ExplainFlowRequest) {
  if (!match(ROOM, place)) {
    if (channel !== '') throw invalid('channel', 'is of a room, and a lobby has none')
    const { slug: account } = await theAccount(accounts, place)
    return { target: { kind: 'lobby', account } satisfies LobbyAddress, access: undefined }
  }
  const { account, slug, config } = await theRoom(rooms, place, 'place')
  const address = `room:${account.slug}/${slug}${channel === '' ? '' : `/${channel}`}`
  const target = parsePlace(address) as RoomAddress
  return { target, access: new Blocks(readable(config, place)).of('access') }
}

/** Undefined: it has just been deleted. Rejects with Refusal where its config cannot be used. */
async function tried(
  { emptyCore }: AdminParts,
  target: RoomAddress | LobbyAddress,
  proofs: Parameters<typeof dryRun>[2],
): Promise<DryRun | undefined> {
  try {
    return await dryRun(emptyCore(), target, proofs)
  } catch (error) {
    if (error instanceof Refusal || error instanceof StoreError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new Refusal(Code.STATE_UNSUITABLE, `the room cannot be entered: ${reason}`)
  }
}
