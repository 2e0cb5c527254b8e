/**
 * gRPC's server reflection, for `buf curl` and grpcurl. Of both versions, which are the same but
 * for their names. It tells nothing that is not in the repository.
 */
import type { DescFile, MessageInitShape } from '@bufbuild/protobuf'
import { Code, type ServiceImpl } from '@connectrpc/connect'
import type {
  ServerReflection,
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from '@porthouse/proto/grpc/reflection/v1/reflection'
import { type Files, withImports } from './files.ts'

type Answer = MessageInitShape<typeof ServerReflectionResponseSchema>
type Told = NonNullable<Answer['messageResponse']>

export function reflectionService(files: Files): ServiceImpl<typeof ServerReflection> {
  return {
    async *serverReflectionInfo(requests) {
      const sent = new Set<DescFile>()
      for await (const originalRequest of requests) {
        const { host: validHost } = originalRequest
        yield { validHost, originalRequest, messageResponse: answer(files, originalRequest, sent) }
      }
    },
  }
}

function answer(
  files: Files,
  { messageRequest: asked }: ServerReflectionRequest,
  sent: Set<DescFile>,
): Told {
  switch (asked.case) {
    case 'fileByFilename':
      return fileAnswer(files.byPath(asked.value), sent)
    case 'fileContainingSymbol':
      return fileAnswer(files.bySymbol(asked.value), sent)
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = asked.value
      return fileAnswer(files.byExtension(containingType, extensionNumber), sent)
    }
    case 'allExtensionNumbersOfType': {
      const extensionNumber = files.extensionsOf(asked.value)
      if (!extensionNumber) return unknown()
      const value = { baseTypeName: asked.value, extensionNumber }
      return { case: 'allExtensionNumbersResponse', value }
    }
    case 'listServices': {
      const service = files.services.map((name) => ({ name }))
      return { case: 'listServicesResponse', value: { service } }
    }
    default:
      return failed(Code.InvalidArgument, 'nothing known was asked')
  }
}

/** What was sent on the stream already is not sent again, but for what was asked for. */
function fileAnswer(file: DescFile | undefined, sent: Set<DescFile>): Told {
  if (!file) return unknown()
  sent.delete(file)
  const fileDescriptorProto = [...withImports(file, sent)].reverse()
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } }
}

function unknown(): Told {
  return failed(Code.NotFound, 'there is none of that name')
}

function failed(errorCode: Code, errorMessage: string): Told {
  return { case: 'errorResponse', value: { errorCode, errorMessage } }
}
