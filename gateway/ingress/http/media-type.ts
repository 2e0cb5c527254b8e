/** Which form a body has, and which one its answer is to have (RFC 9110, 8.3 and 12.5.1). */

export type Form = 'json' | 'protobuf'

const FORMS: ReadonlyMap<string, Form> = new Map([
  ['application/json', 'json'],
  ['application/protobuf', 'protobuf'],
  ['application/x-protobuf', 'protobuf'],
])

/** How each is told. */
export const TYPE_OF: Readonly<Record<Form, string>> = {
  json: 'application/json',
  protobuf: 'application/protobuf',
}

/** Of a Content-Type; undefined where it is none of these, or text that is not UTF-8. */
export function formOf(contentType: string | undefined): Form | undefined {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';').map(trimmed)
  const charset = parameters.find((each) => each.startsWith('charset='))
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset)
  return isUtf8 ? FORMS.get(type) : undefined
}

/** Of an Accept: the one preferred, `usual` where it does not matter; undefined: none will do. */
export function wantedForm(accept: string | undefined, usual: Form): Form | undefined {
  if (accept === undefined || accept.trim() === '') return usual
  const ranges = accept.toLowerCase().split(',').map(rangeOf)
  const qualityOf = (form: Form) =>
    Math.max(
      ...[...FORMS].filter((each) => each[1] === form).map(([type]) => qualityFor(type, ranges)),
    )
  const other = usual === 'json' ? 'protobuf' : 'json'
  const best = qualityOf(other) > qualityOf(usual) ? other : usual
  return qualityOf(best) > 0 ? best : undefined
}

interface Range {
  readonly range: string
  readonly quality: number
}

function rangeOf(text: string): Range {
  const [range = '', ...parameters] = text.split(';').map(trimmed)
  const weight = parameters.find((each) => each.startsWith('q='))
  const quality = weight === undefined ? 1 : Number(weight.slice('q='.length))
  return { range, quality: quality >= 0 && quality <= 1 ? quality : 0 }
}

/** The most specific range that it is in decides. */
function qualityFor(type: string, ranges: readonly Range[]): number {
  const [main] = type.split('/')
  for (const wanted of [type, `${main}/*`, '*/*']) {
    const found = ranges.find(({ range }) => range === wanted)
    if (found) return found.quality
  }
  return 0
}

function trimmed(text: string): string {
  return text.trim()
}
