/** What is not there, by its name as a resource, in the words of the command line. */

/** What there is, and the command that makes it or shows those that are. */
const KINDS: readonly (readonly [form: RegExp, words: string])[] = [
  [/^accounts\/([^/]+)$/, 'account $1; make it with: porthouse account create $1'],
  [/^accounts\/([^/]+)\/rooms\/([^/]+)$/, 'room $1/$2; make it with: porthouse room create $1/$2'],
  [
    /^accounts\/([^/]+)\/rooms\/([^/]+)\/revisions\/([^/]+)$/,
    'revision $3 of $1/$2; see: porthouse room revisions $1/$2',
  ],
  [
    /^accounts\/([^/]+)\/clients\/([^/]+)$/,
    'client $1/$2; make it with: porthouse client create $1/$2',
  ],
  [
    /^accounts\/([^/]+)\/connectionKeys\/([^/]+)$/,
    'key $2 of account $1; porthouse account key list $1 shows those that are',
  ],
  [
    /^accounts\/([^/]+)\/apiKeys\/([^/]+)$/,
    'API key $2 of account $1; porthouse api-key list $1 shows those that are',
  ],
  [
    /^accounts\/([^/]+)\/clients\/([^/]+)\/credentials\/([^/]+)$/,
    'key $3 of client $1/$2; porthouse client key list $1/$2 shows those that are',
  ],
  [
    /^accounts\/[^/]+\/tokens\/([^/]+)$/,
    'token $1; porthouse token list ACCOUNT shows those that are',
  ],
  [/^(offender .*)$/s, '$1; porthouse offender list shows those that are'],
  [/^apiKeys\/([^/]+)$/, 'API key $1; porthouse api-key list shows those that are'],
  [/^messages\/([^/]+)$/, 'message $1 that is known; paths are kept for why.ageMs, in feature why'],
]

/** `there is no accounts/acme` in those words; another text as it is. */
export function unknownText(text: string): string {
  const [, resource] = /^there is no (.+)$/s.exec(text) ?? []
  const [form, words] = KINDS.find(([each]) => resource !== undefined && each.test(resource)) ?? []
  return resource && form && words ? `there is no ${resource.replace(form, words)}` : text
}
