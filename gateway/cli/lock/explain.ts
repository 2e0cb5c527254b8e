/** `porthouse lock explain`: what a socket would meet at a place (R18), as a dry run. */
import { FlowService } from '@porthouse/proto/admin/v1/flow_service'
import {
  type LobbyAddress,
  parsePlace,
  type RoomAddress,
  withKind,
} from '../../protocol/address.ts'
import { EXIT, Failure, usage } from '../failure.ts'
import { nameOf, refused } from '../names.ts'
import { printJson } from '../output.ts'
import { accountResource, clientResource, tokenId as tokenIdOf } from '../resource.ts'
import { type AdminOptions, withAdmin } from '../with-admin.ts'
import { explanationForScripts, printExplanation } from './explanation.ts'

interface ExplainOptions extends AdminOptions {
  /** ACCOUNT/CLIENT, or a client of the account that the address names. */
  readonly as?: string
  readonly tokenId?: string
  readonly key?: boolean
}

export async function explain(typed: string, options: ExplainOptions): Promise<void> {
  const target = parseTarget(typed)
  const { as, tokenId, key: owner = false } = options
  const account = accountResource(target.account)
  const isRoom = target.kind === 'room'
  const request = {
    place: isRoom ? `${account}/rooms/${target.room}` : account,
    channel: isRoom ? (target.channel ?? '') : '',
    client: as === undefined ? '' : clientIn(as, target.account),
    token: tokenId === undefined ? '' : `${account}/tokens/${tokenIdOf(tokenId, target.account)}`,
    owner,
  }
  const answer = await keyTold(
    withAdmin(options, (admin) => admin(FlowService).explainFlow(request)),
    target.account,
  )
  if (options.json) return printJson(explanationForScripts(answer))
  printExplanation(answer)
}

function parseTarget(typed: string): RoomAddress | LobbyAddress {
  const address = withKind(typed)
  if (!/^(room|lobby):/.test(address)) {
    throw usage(
      `${typed} is no place to enter: write ACCOUNT/ROOM, ACCOUNT/ROOM/CHANNEL or lobby:ACCOUNT`,
    )
  }
  return refused(typed, () => parsePlace(address))
}

function clientIn(typed: string, owner: string): string {
  const name = typed.includes('/') ? typed : `${owner}/${nameOf(typed, 'client')}`
  return clientResource(name)
}

/** An account without a connection key has nothing that --key could stand for. */
async function keyTold<T>(done: Promise<T>, account: string): Promise<T> {
  try {
    return await done
  } catch (error) {
    if (!(error instanceof Failure && /has no connection key/.test(error.message))) throw error
    const next = `make one with: porthouse account key create ${account}`
    throw new Failure('MISSING', `${error.message}; ${next}`, EXIT.failed, error)
  }
}
