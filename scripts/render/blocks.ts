/** docs/rooms/blocks.md: what each block of a room's config is, as its proto file tells it. */
import {
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  ScalarType,
} from '@bufbuild/protobuf'
import { BlockSchema } from '@porthouse/proto/room/v1/config'
import { commentOfFile, commentOfMember, commentOfType, readProtos } from './proto-comments.ts'
import { renderTable } from './table.ts'

const heading = `# Blocks

Rendered from [room/v1](../../proto/porthouse/room/v1) by \`make generate\`; edit it there.

A room's config is a list of blocks, each of a kind that stands in it at most once, together at most
1,048,576 bytes of Protobuf. A block that is absent has its default, and so has a field. In a file,
which is Protobuf JSON, a name such as \`slow_consumers\` may also be written \`slowConsumers\`, and
numbers of 64 bits are text; [the guide](README.md) has examples.
`

/** A section a block, in the order of their numbers. */
export function renderBlocks(): string {
  const block = readProtos().getMessage(BlockSchema.typeName)
  if (!block) throw new Error(`no message ${BlockSchema.typeName}`)
  return [heading, ...block.fields.map(renderBlock)].join('\n')
}

function renderBlock({ name, message }: DescField): string {
  if (!message) throw new Error(`the block ${name} is no message`)
  const { file } = message
  const what = commentOfFile(file).replace(`Block ${name}: `, '')
  const others = file.messages.filter((each) => each !== message && each.fields.length > 0)
  return [
    `## ${name}\n`,
    `${what[0]?.toUpperCase()}${what.slice(1)}\n`,
    ...renderMessage(message),
    ...others.flatMap((each) => [`### ${each.name}\n`, ...renderMessage(each)]),
    ...file.enums.flatMap((each) => [`### ${each.name}\n`, ...renderEnum(each)]),
  ].join('\n')
}

function renderMessage(message: DescMessage): string[] {
  const rows = message.fields.map((field) => [
    `\`${field.name}\``,
    typeOf(field, message.file),
    commentOfMember(field),
  ])
  const choices = message.oneofs.map(({ fields }) => {
    return `Exactly one of ${fields.map(({ name }) => `\`${name}\``).join(', ')} stands.\n`
  })
  const table = rows.length > 0 ? [renderTable(['Field', 'Type', 'Meaning'], rows)] : []
  return [...told(commentOfType(message)), ...table, ...choices]
}

function renderEnum(desc: DescEnum): string[] {
  const rows = desc.values.map((value) => [`\`${value.name}\``, commentOfMember(value)])
  return [...told(commentOfType(desc)), renderTable(['Value', 'Meaning'], rows)]
}

function told(comment: string): string[] {
  return comment === '' ? [] : [`${comment}\n`]
}

function typeOf(field: DescField, file: DescFile): string {
  const single = singleOf(field, file)
  return field.fieldKind === 'list' ? `list of ${single}` : single
}

function singleOf({ message, enum: values, scalar }: DescField, file: DescFile): string {
  const type = message ?? values
  if (message?.fields.length === 0) return '`{}`'
  if (type?.file === file) return `[${type.name}](#${type.name.toLowerCase()})`
  if (type?.typeName === 'google.protobuf.Struct') return 'JSON object'
  if (type || scalar === undefined) throw new Error(`no way to tell of ${type?.typeName}`)
  return (ScalarType[scalar] as string).toLowerCase()
}
