/** Clients of the admin API, and how a call failed. */
import type { DescService } from '@bufbuild/protobuf'
import { type Client, ConnectError, createClient, type Interceptor } from '@connectrpc/connect'
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node'
import { type Problem, ProblemSchema } from '@porthouse/proto/admin/v1/problem'
import { codeInfo } from '../../gateway/protocol/codes.ts'

const TRANSPORTS = {
  connect: (options: Options) => createConnectTransport({ ...options, httpVersion: '1.1' }),
  grpc: createGrpcTransport,
  'grpc-web': (options: Options) => createGrpcWebTransport({ ...options, httpVersion: '1.1' }),
}

interface Options {
  readonly baseUrl: string
  readonly interceptors: Interceptor[]
}

/** `key`: what it calls with; undefined: without credentials. */
export function adminClient<Service extends DescService>(
  service: Service,
  { port }: { readonly port: number },
  key: string | undefined,
  protocol: keyof typeof TRANSPORTS = 'connect',
): Client<Service> {
  const credentials: Interceptor = (next) => (request) => {
    if (key !== undefined) request.header.set('authorization', `Bearer ${key}`)
    return next(request)
  }
  const options = { baseUrl: `http://127.0.0.1:${port}`, interceptors: [credentials] }
  return createClient(service, TRANSPORTS[protocol](options))
}

/** Names of the codes that calls failed with. */
export async function codes(...calls: Promise<unknown>[]): Promise<string[]> {
  return (await Promise.all(calls.map(failure))).map(({ code }) => code)
}

/** What a list holds, page by page. */
export async function pagesOf<Item>(
  list: (pageToken: string) => Promise<{ items: Item[]; nextPageToken: string }>,
): Promise<Item[][]> {
  const pages: Item[][] = []
  let pageToken = ''
  do {
    const page = await list(pageToken)
    pages.push(page.items)
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  return pages
}

export interface Failed {
  /** Name of the code of ours. */
  readonly code: string
  readonly message: string
  readonly problem: Problem | undefined
}

/** How a call failed; what succeeds fails the test. */
export async function failure(call: Promise<unknown>): Promise<Failed> {
  const error = await call.then(
    (answer) => {
      throw new Error(`it was done: ${JSON.stringify(answer)}`)
    },
    (failed) => ConnectError.from(failed),
  )
  const [problem] = error.findDetails(ProblemSchema)
  const code = problem ? codeInfo(problem.code).name : `none: ${error.message}`
  return { code, message: error.rawMessage, problem }
}
