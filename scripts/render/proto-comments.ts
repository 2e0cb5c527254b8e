/** The comments of proto files, which generated code does not carry. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import {
  createFileRegistry,
  type DescEnum,
  type DescEnumValue,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type FileRegistry,
  fromBinary,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

const root = join(import.meta.dirname, '../..')

/** Numbers of fields in descriptor.proto, of which the path of a definition is made. */
const MESSAGES = 4
const ENUMS = 5
const SERVICES = 6
const NESTED = 3
const MEMBERS = 2
const SYNTAX = 12

/** The descriptors of all of proto/, with the comments of their files. */
export function readProtos(): FileRegistry {
  const buf = join(root, 'node_modules/.bin/buf')
  const bytes = execFileSync(buf, ['build', '-o', '-#format=binpb'], { cwd: root })
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, new Uint8Array(bytes)))
}

/** What stands above a type, in one line; empty where nothing does. */
export function commentOfType(desc: DescMessage | DescEnum): string {
  return commentAt(desc.file, pathOf(desc))
}

/** The same of a field, or of a value of an enum. */
export function commentOfMember(desc: DescField | DescEnumValue): string {
  const parent = desc.parent as DescMessage | DescEnum
  const members: readonly unknown[] =
    parent.kind === 'enum' ? parent.proto.value : parent.proto.field
  return commentAt(parent.file, [...pathOf(parent), MEMBERS, members.indexOf(desc.proto)])
}

/** What stands above a method, line by line: examples in it are indented. */
export function linesOfMethod(method: DescMethod): string[] {
  const { parent } = method
  const { file } = parent
  const at = [SERVICES, file.proto.service.indexOf(parent.proto)]
  const path = [...at, MEMBERS, parent.proto.method.indexOf(method.proto)]
  return (leadingAt(file, path) ?? '').split('\n').map((line) => line.replace(/^ /, '').trimEnd())
}

/** What a file begins with. */
export function commentOfFile(file: DescFile): string {
  return commentAt(file, [SYNTAX])
}

function pathOf(desc: DescMessage | DescEnum): number[] {
  const { proto } = desc.file
  if (desc.parent) {
    const { nestedType, enumType } = desc.parent.proto
    return desc.kind === 'enum'
      ? [...pathOf(desc.parent), MESSAGES, enumType.indexOf(desc.proto)]
      : [...pathOf(desc.parent), NESTED, nestedType.indexOf(desc.proto)]
  }
  return desc.kind === 'enum'
    ? [ENUMS, proto.enumType.indexOf(desc.proto)]
    : [MESSAGES, proto.messageType.indexOf(desc.proto)]
}

function commentAt(file: DescFile, path: readonly number[]): string {
  return (leadingAt(file, path) ?? '').trim().replaceAll(/\s*\n\s*/g, ' ')
}

function leadingAt({ proto }: DescFile, path: readonly number[]): string | undefined {
  const wanted = path.join('.')
  const found = proto.sourceCodeInfo?.location.find((each) => each.path.join('.') === wanted)
  return found?.leadingComments
}
