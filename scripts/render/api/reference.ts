/** docs/api/*.md: a page a service, and the way in. */
import type {
  DescEnum,
  DescField,
  DescMessage,
  DescMethod,
  DescService,
  FileRegistry,
} from '@bufbuild/protobuf'
import { ScalarType } from '@bufbuild/protobuf'
import { commentOfFile, commentOfMember, commentOfType } from '../proto-comments.ts'
import { renderTable } from '../table.ts'
import { isAudited, rolesOf, rulesOf, servicesIn, toldOf } from './api.ts'

const ours = /^porthouse\.(admin|v1)\b/

/** By path from the root. */
export function renderReference(protos: FileRegistry): Record<string, string> {
  const services = servicesIn(protos)
  const pages = services.map((service): [string, string] => [
    `docs/api/${fileOf(service)}`,
    renderService(service),
  ])
  return { 'docs/api/services.md': renderIndex(services), ...Object.fromEntries(pages) }
}

function fileOf({ file }: DescService): string {
  const base = file.name.split('/').at(-1) as string
  return `${base.replace(/_service$/, '').replaceAll('_', '-')}.md`
}

function renderIndex(services: readonly DescService[]): string {
  const rows = services.flatMap((service) =>
    service.methods.map((method, i) => [
      i === 0 ? `[${service.name}](${fileOf(service)})` : '',
      `[${method.name}](${fileOf(service)}#${method.name.toLowerCase()})`,
      rolesOf(method).join(', '),
      method.methodKind === 'server_streaming' ? 'yes' : '',
    ]),
  )
  return `# Services and methods

Rendered from [admin/v1](../../proto/porthouse/admin/v1) by \`make generate\`; edit it there.
[README](README.md) says how to call them.

${renderTable(['Service', 'Method', 'Roles', 'Streams'], rows)}`
}

function renderService(service: DescService): string {
  const shown = new Set<DescMessage | DescEnum>()
  for (const { input, output } of service.methods) for (const each of [input, output]) add(each)
  function add(desc: DescMessage | DescEnum): void {
    if (shown.has(desc) || !ours.test(desc.typeName)) return
    shown.add(desc)
    if (desc.kind === 'enum') return
    for (const { message, enum: values } of desc.fields) {
      if (message) add(message)
      if (values) add(values)
    }
  }
  const types = [...shown].filter((desc) => desc.kind === 'enum' || desc.fields.length > 0)
  return [
    `# ${service.name}\n`,
    `\`${service.typeName}\`. ${commentOfFile(service.file)}\n`,
    ...service.methods.map(renderMethod),
    '## Messages\n',
    ...types.map((desc) => renderType(desc, shown)),
  ].join('\n')
}

function renderMethod(method: DescMethod): string {
  const { prose, example } = toldOf(method)
  const streams = method.methodKind === 'server_streaming' ? ' Answers with a stream.' : ''
  const audited = isAudited(method) ? ' Audited.' : ''
  const takes = `Takes ${linkTo(method.input)}, gives ${linkTo(method.output)}.`
  return [
    `## ${method.name}\n`,
    ...prose.map((each) => `${each}\n`),
    `${takes}${streams}${audited} Roles: ${rolesOf(method).join(', ')}.\n`,
    ...(example === '' ? [] : [`\`\`\`sh\n${example}\n\`\`\`\n`]),
  ].join('\n')
}

function linkTo(desc: DescMessage | DescEnum): string {
  const isShown = ours.test(desc.typeName) && (desc.kind === 'enum' || desc.fields.length > 0)
  return isShown ? `[${nameOf(desc)}](#${anchorOf(desc)})` : `\`${desc.typeName}\``
}

/** Within its parents, for two may have a part of the same name. */
function nameOf(desc: DescMessage | DescEnum): string {
  return desc.parent ? `${nameOf(desc.parent)}.${desc.name}` : desc.name
}

function anchorOf(desc: DescMessage | DescEnum): string {
  return nameOf(desc).toLowerCase().replaceAll('.', '')
}

function renderType(desc: DescMessage | DescEnum, shown: ReadonlySet<unknown>): string {
  const told = commentOfType(desc)
  return [
    `### ${nameOf(desc)}\n`,
    ...(told === '' ? [] : [`${told}\n`]),
    desc.kind === 'enum' ? enumTable(desc) : fieldTable(desc, shown),
  ].join('\n')
}

function enumTable({ values }: DescEnum): string {
  return renderTable(
    ['Value', 'Meaning'],
    values.map((value) => [`\`${value.name}\``, commentOfMember(value)]),
  )
}

function fieldTable({ fields }: DescMessage, shown: ReadonlySet<unknown>): string {
  return renderTable(
    ['Field', 'Type', 'Meaning'],
    fields.map((field) => [
      `\`${field.jsonName}\``,
      typeOf(field, shown),
      [commentOfMember(field), ...boundsOf(field)].filter((each) => each !== '').join(' '),
    ]),
  )
}

function typeOf(field: DescField, shown: ReadonlySet<unknown>): string {
  const type = field.message ?? field.enum
  const named = type && (shown.has(type) ? linkTo(type) : `\`${type.typeName}\``)
  const single = named ?? (ScalarType[field.scalar as number] as string).toLowerCase()
  const inOneof = field.oneof ? ` (one of \`${field.oneof.name}\`)` : ''
  if (field.fieldKind === 'list') return `list of ${single}`
  if (field.fieldKind === 'map') return `map to ${single}`
  return `${single}${inOneof}`
}

function boundsOf(field: DescField): string[] {
  const rules = rulesOf(field)
  if (!rules) return []
  const { required, maxChars, maxItems, min, max, resource, secret } = rules
  const forms = resource.split(' ').map((form) => `\`${form}\``)
  return [
    ...(required ? ['Required.'] : []),
    ...(resource ? [`Of the form ${forms.join(' or ')}.`] : []),
    ...(maxChars ? [`At most ${maxChars} characters.`] : []),
    ...(maxItems ? [`At most ${maxItems} items.`] : []),
    ...(min !== undefined || max !== undefined ? [`From ${min ?? ''} to ${max ?? ''}.`] : []),
    ...(secret ? ['A secret.'] : []),
  ]
}
