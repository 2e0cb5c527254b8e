/** Descriptors by what tools ask for: path, symbol, extension. */
import {
  type AnyDesc,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from '@bufbuild/protobuf'
import { nestedTypes } from '@bufbuild/protobuf/reflect'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'

export class Files {
  /** Full names. */
  readonly services: readonly string[]
  readonly #byPath = new Map<string, DescFile>()
  readonly #bySymbol = new Map<string, DescFile>()
  /** By the extended message's full name. */
  readonly #extensions = new Map<string, DescExtension[]>()

  constructor(services: readonly DescService[]) {
    this.services = services.map(({ typeName }) => typeName)
    for (const { file } of services) this.#add(file)
  }

  /** Of protoc's path, for instance `porthouse/v1/code.proto`. */
  byPath(path: string): DescFile | undefined {
    return this.#byPath.get(path)
  }

  bySymbol(name: string): DescFile | undefined {
    return this.#bySymbol.get(name)
  }

  byExtension(extended: string, number: number): DescFile | undefined {
    return this.#extensions.get(extended)?.find((each) => each.number === number)?.file
  }

  /** Undefined where there is no such message. */
  extensionsOf(extended: string): number[] | undefined {
    const found = this.#extensions.get(extended) ?? []
    if (found.length === 0 && !this.#bySymbol.has(extended)) return undefined
    return found.map(({ number }) => number)
  }

  #add(file: DescFile): void {
    const path = pathOf(file)
    if (this.#byPath.has(path)) return
    this.#byPath.set(path, file)
    for (const each of nestedTypes(file)) {
      for (const name of namesOf(each)) this.#bySymbol.set(name, file)
      if (each.kind !== 'extension') continue
      const others = this.#extensions.get(each.extendee.typeName) ?? []
      this.#extensions.set(each.extendee.typeName, [...others, each])
    }
    for (const each of file.dependencies) this.#add(each)
  }
}

/** The file and all that it imports, those first that others need, but for what was `sent`. */
export function* withImports(file: DescFile, sent: Set<DescFile>): Generator<Uint8Array> {
  if (sent.has(file)) return
  sent.add(file)
  for (const each of file.dependencies) yield* withImports(each, sent)
  yield toBinary(FileDescriptorProtoSchema, file.proto)
}

function pathOf({ name }: DescFile): string {
  return `${name}.proto`
}

function namesOf(desc: AnyDesc): string[] {
  switch (desc.kind) {
    case 'service':
      return [desc.typeName, ...desc.methods.map(({ name }) => `${desc.typeName}.${name}`)]
    case 'message':
      return [desc.typeName, ...partsOf(desc)]
    case 'enum':
      return [desc.typeName, ...desc.values.map(({ name }) => `${parentOf(desc.typeName)}${name}`)]
    case 'extension':
      return [desc.typeName]
    default:
      return []
  }
}

function partsOf({ typeName, fields, oneofs }: DescMessage): string[] {
  return [...fields, ...oneofs].map(({ name }) => `${typeName}.${name}`)
}

/** Values of an enum stand beside it. */
function parentOf(typeName: string): string {
  return typeName.slice(0, typeName.lastIndexOf('.') + 1)
}
