/** `porthouse login`, `logout` and `profile …`: gateways that the user administers, and by what. */
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { adminEnvironment } from '../../config/client.ts'
import { usage } from '../failure.ts'
import { pipedInput } from '../lines.ts'
import { print, printJson, printTable } from '../output.ts'
import { askPerson, isPersonThere } from '../person.ts'
import { checkProfileName, type Profiles, readProfiles } from '../reach/profiles.ts'
import { originOf } from '../reach/reach.ts'

interface Options {
  readonly json?: boolean
}

/** Longer than any API key and any sensible JWT. */
const KEY_BYTES_MAX = 8_192

export async function login({
  url: typed,
  profile,
  json,
}: Options & { readonly url: string; readonly profile: string }): Promise<void> {
  const name = checkProfileName(profile)
  const url = originOf(typed)
  const key = await askKey(url)
  const { throughApi } = await import('../reach/through.ts')
  // Whoever may administer anything may call this.
  await throughApi({ url, key }, (admin) => admin(AccountService).listAccounts({ pageSize: 1 }))
  await (await profiles()).put(name, { url, key })
  if (json) return printJson({ profile: name, url })
  print(`${url} is profile ${name}, which commands use from now on`)
}

export async function logout({
  profile,
  json,
}: Options & { readonly profile?: string }): Promise<void> {
  const all = await profiles()
  const name = profile ?? chosenOf(all)
  await all.remove(name)
  if (json) return printJson({ removed: name })
  print(`profile ${name} is forgotten; porthouse api-key delete ends its key`)
}

export async function listProfiles({ json }: Options): Promise<void> {
  const all = await profiles()
  const rows = all.names.map((name) => forScripts(all, name))
  if (json) return printJson(rows)
  printTable(
    ['profile', 'url', ''],
    rows.map(({ profile, url, chosen }) => [profile, url, chosen ? 'in use' : '']),
  )
}

export async function useProfile(name: string, { json }: Options): Promise<void> {
  const all = await profiles()
  await all.choose(name)
  if (json) return printJson(forScripts(all, name))
  print(`commands use ${all.get(name).url} from now on`)
}

export async function showProfile(name: string | undefined, { json }: Options): Promise<void> {
  const all = await profiles()
  const shown = forScripts(all, name ?? chosenOf(all))
  if (json) return printJson(shown)
  printTable(
    ['profile', shown.profile],
    [
      ['url', shown.url],
      ['in use', shown.chosen ? 'yes' : 'no'],
    ],
  )
}

function profiles(): Promise<Profiles> {
  return readProfiles(adminEnvironment().folder)
}

function chosenOf({ chosenName, names }: Profiles): string {
  if (chosenName !== undefined) return chosenName
  const next =
    names.length > 0 ? `say which: ${names.join(', ')}` : 'porthouse login --url URL makes one'
  throw usage(`no profile is in use; ${next}`)
}

function forScripts(all: Profiles, name: string) {
  return { profile: name, url: all.get(name).url, chosen: name === all.chosenName }
}

/** Never on the command line, where others of the machine see it. Rejects with a Failure. */
async function askKey(url: string): Promise<string> {
  const typed = isPersonThere()
    ? await askPerson({ text: `API key of ${url}: `, echo: false })
    : (await pipedInput(KEY_BYTES_MAX, 'porthouse login')).toString()
  const key = typed?.trim() ?? ''
  // It is put into a header (RFC 6750).
  if (/^[\w.~+/-]+=*$/.test(key)) return key
  throw usage(key === '' ? 'no API key is given' : 'that is no API key: pha_… is one')
}
