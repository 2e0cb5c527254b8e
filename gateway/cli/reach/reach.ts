/**
 * Which gateway a command administers, and as whom: what the options say, or else the environment,
 * the chosen profile and the data folder, in this order.
 */
import { readOperatorKey } from '../../admin/credentials/operator-key.ts'
import { adminEnvironment } from '../../config/client.ts'
import { gatewayUrl } from '../../protocol/gateway-url.ts'
import { isLoopback } from '../../protocol/loopback.ts'
import { EXIT, Failure, usage } from '../failure.ts'
import { readSettings } from '../settings.ts'
import { folderFailure } from '../with-store.ts'
import { readProfiles } from './profiles.ts'
import { listensAt, runningOn } from './running.ts'

export interface ReachOptions {
  readonly url?: string
  readonly profile?: string
  readonly config?: string
  readonly data?: string
}

/** A gateway, by its API. */
export interface Reached {
  /** Its origin, `http://HOST:PORT`. */
  readonly url: string
  /** What is shown as Bearer. */
  readonly key: string
  /** File with the certificate that it has to have, in place of one that anybody vouches for. */
  readonly certFile?: string
}

const USUAL_URL = 'http://127.0.0.1:8080'

/**
 * Undefined: no gateway runs, so it is the store itself. Rejects with a Failure where nobody says
 * who asks.
 */
export async function reachOf(
  options: ReachOptions,
  { url: named, apiKey, folder } = adminEnvironment(),
): Promise<Reached | undefined> {
  const { url, profile, config, data } = options
  if (url !== undefined && profile !== undefined) {
    throw usage('--url and --profile exclude each other')
  }
  const profiles = await readProfiles(folder)
  if (profile !== undefined) return profiles.get(profile)
  // Who names a data folder means the gateway there.
  const chosen = (config ?? data) ? undefined : profiles.chosen
  const origin = originOf(url ?? named) ?? chosen?.url
  if (origin === undefined) return onFolder(options, apiKey)
  const key = apiKey ?? profiles.keyAt(origin)
  if (key !== undefined) return { url: origin, key }
  // With nothing but the folder's own key it is the folder's gateway, whether it runs or not.
  const { hostname } = new URL(origin)
  if (url === undefined && isLoopback(hostname) && !(await listensAt(origin))) {
    return onFolder(options, undefined)
  }
  return { url: origin, key: await operatorKeyFor(origin, options) }
}

/** The origin of a gateway by its `ws://` or `http://` URL. Throws a Failure of usage. */
export function originOf(url: string): string
export function originOf(url: string | undefined): string | undefined
export function originOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  const origin = gatewayUrl(url)
  if (origin === undefined) {
    throw usage(`${url} is not the URL of a gateway; write http://HOST:PORT`)
  }
  return origin
}

async function onFolder(
  options: ReachOptions,
  apiKey: string | undefined,
): Promise<Reached | undefined> {
  const running = await runningOn(settingsOf(options))
  if (apiKey !== undefined) return { url: running?.url ?? USUAL_URL, key: apiKey }
  if (!running) return undefined
  const { url, certFile } = running
  return { url, key: await operatorKeyFor(url, options), ...(certFile && { certFile }) }
}

/** Rejects with a Failure where there is none, or where others could read it on its way. */
async function operatorKeyFor(origin: string, options: ReachOptions): Promise<string> {
  const { protocol, hostname } = new URL(origin)
  const isSafe = protocol === 'https:' || isLoopback(hostname)
  const key = isSafe ? await keyIn(settingsOf(options).data) : undefined
  if (key !== undefined) return key
  throw new Failure(
    'UNAUTHENTICATED',
    `there is no API key for ${origin}; porthouse login --url ${origin} takes one, or set ` +
      'PORTHOUSE_API_KEY',
    EXIT.refused,
  )
}

async function keyIn(folder: string): Promise<string | undefined> {
  try {
    return await readOperatorKey(folder)
  } catch (error) {
    throw folderFailure(error) ?? error
  }
}

function settingsOf({ config, data }: ReachOptions) {
  return readSettings({ ...(config && { config }), ...(data && { data }) }).config
}
