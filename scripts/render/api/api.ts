/** The admin API as its protos tell it: services in their order, methods and who may call them. */
import {
  type DescField,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
  getExtension,
  hasExtension,
  toBinary,
} from '@bufbuild/protobuf'
import { FieldOptionsSchema, MethodOptionsSchema } from '@bufbuild/protobuf/wkt'
import {
  type Access,
  access,
  RoleSchema,
  type Rules,
  rules,
} from '@porthouse/proto/admin/v1/options'

import { linesOfMethod } from '../proto-comments.ts'

const PACKAGE = 'porthouse.admin.v1'

export function servicesIn(protos: FileRegistry): DescService[] {
  return [...protos]
    .filter((desc) => desc.kind === 'service')
    .filter(({ typeName }) => typeName.startsWith(`${PACKAGE}.`))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Those that answer once, and so can be asked by plain HTTP. */
export function unaryMethods(service: DescService): DescMethod[] {
  return service.methods.filter(({ methodKind }) => methodKind === 'unary')
}

export function pathOfMethod({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`
}

/** Names of roles, in lower case. */
export function rolesOf(method: DescMethod): string[] {
  return (accessOf(method)?.roles ?? []).map(
    (role) => RoleSchema.value[role]?.localName.toLowerCase() ?? '',
  )
}

export function isAudited(method: DescMethod): boolean {
  return accessOf(method)?.audited ?? false
}

/** Descriptors that were read from a file do not know our options before they are asked so. */
function accessOf({ proto }: DescMethod): Access | undefined {
  if (!proto.options) return undefined
  const bytes = toBinary(MethodOptionsSchema, proto.options)
  const options = fromBinary(MethodOptionsSchema, bytes, { readUnknownFields: true })
  return hasExtension(options, access) ? getExtension(options, access) : undefined
}

export function rulesOf({ proto }: DescField): Rules | undefined {
  if (!proto.options) return undefined
  const bytes = toBinary(FieldOptionsSchema, proto.options)
  const options = fromBinary(FieldOptionsSchema, bytes)
  return hasExtension(options, rules) ? getExtension(options, rules) : undefined
}

/** What a method does, in prose, and how curl calls it. */
export function toldOf(method: DescMethod): { prose: string[]; example: string } {
  const lines = linesOfMethod(method)
  const prose = lines.filter((line) => !line.startsWith('    ')).join('\n')
  const example = lines.filter((line) => line.startsWith('    ')).map((line) => line.slice(4))
  const paragraphs = prose.split(/\n{2,}/).map((each) => each.replaceAll('\n', ' ').trim())
  return { prose: paragraphs.filter((each) => each !== ''), example: example.join('\n') }
}
