/**
 * Who may import whom. The one table: test/tidy.test.ts holds the real imports against it, and
 * `make generate` renders it into biome.imports.json, so that an editor shows a wrong import.
 */
export interface Layer {
  readonly name: string
  /** Start of the paths of its files, from the root. The longest match is a file's layer. */
  readonly path: string
  /** How a relative import names it, as gitignore patterns. */
  readonly named: readonly string[]
  /** Layers it may import, beside itself. */
  readonly layers: readonly string[]
  /** Packages and Node modules it may import, beside those allowed everywhere. */
  readonly packages: readonly string[]
}

/** Generated code, its runtime, and Node modules without input, output, clock or chance. */
export const everywhere = ['@porthouse/proto', '@bufbuild/protobuf', 'node:buffer', 'node:util']

const foundations = ['protocol', 'store', 'observe']
const services = [...foundations, 'locks', 'identity', 'router']
const ingressMay = [...services, 'rooms', 'session', 'config', 'ingress', 'why']

/** What a gateway is put together from. */
const assembled = [
  ...ingressMay,
  'admin',
  'programs',
  'acceptors',
  'websocket',
  'mqtt',
  'mqtt-listeners',
  'http',
  'metrics',
]

export const layers: readonly Layer[] = [
  {
    name: 'protocol',
    path: 'gateway/protocol/',
    named: ['**/protocol/**'],
    layers: [],
    packages: [],
  },
  {
    name: 'store',
    path: 'gateway/store/',
    named: ['**/store/**'],
    layers: ['protocol'],
    packages: [],
  },
  {
    name: 'observe',
    path: 'gateway/observe/',
    named: ['**/observe/**'],
    layers: ['protocol'],
    packages: ['@opentelemetry/api', 'pino', 'node:*'],
  },
  {
    // Reads from everywhere, and nothing reads from it.
    name: 'metrics',
    path: 'gateway/observe/metrics/',
    named: ['**/metrics/**'],
    layers: [...ingressMay, 'http', 'mqtt'],
    packages: ['prom-client', 'node:*'],
  },
  {
    name: 'config',
    path: 'gateway/config/',
    named: ['**/config/**'],
    layers: ['protocol', 'observe'],
    packages: ['zod', 'node:*'],
  },
  {
    name: 'locks',
    path: 'gateway/locks/',
    named: ['**/locks/**'],
    layers: foundations,
    packages: [],
  },
  {
    name: 'acceptors',
    path: 'gateway/locks/acceptors/',
    named: ['**/acceptors/**'],
    layers: [...foundations, 'locks', 'identity'],
    packages: ['jose', 'openid-client', 'node:crypto', 'node:net', 'zod'],
  },
  {
    name: 'identity',
    path: 'gateway/identity/',
    named: ['**/identity/**'],
    layers: foundations,
    packages: ['node:crypto'],
  },
  {
    name: 'router',
    path: 'gateway/router/',
    named: ['**/router/**'],
    layers: foundations,
    packages: ['node:crypto'],
  },
  {
    // What was noted of messages, and how it is told.
    name: 'why',
    path: 'gateway/why/',
    named: ['**/why/**'],
    layers: ['protocol', 'observe', 'router'],
    packages: ['@opentelemetry/api'],
  },
  {
    name: 'rooms',
    path: 'gateway/rooms/',
    named: ['**/rooms/**'],
    layers: [...services, 'structure'],
    packages: [],
  },
  {
    name: 'structure',
    path: 'gateway/rooms/structure/',
    named: ['**/structure/**'],
    layers: ['protocol', 'router'],
    packages: [
      '@bufbuild/protovalidate',
      '@bufbuild/re2',
      'ajv',
      'ajv-formats',
      'node:module',
      'node:url',
    ],
  },
  {
    name: 'programs',
    path: 'gateway/programs/',
    named: ['**/programs/**'],
    layers: [...foundations, 'locks', 'router', 'rooms'],
    packages: ['zod', 'node:*'],
  },
  {
    name: 'session',
    path: 'gateway/session/',
    named: ['**/session/**'],
    layers: [...services, 'rooms', 'config', 'why'],
    packages: ['node:crypto', 'node:timers/promises'],
  },
  {
    name: 'ingress',
    path: 'gateway/ingress/',
    named: ['**/ingress/*.ts'],
    layers: ['protocol', 'observe', 'locks', 'config'],
    packages: ['node:*'],
  },
  {
    name: 'websocket',
    path: 'gateway/ingress/websocket/',
    named: ['**/websocket/**'],
    layers: ingressMay,
    packages: ['ws', 'node:*'],
  },
  {
    name: 'mqtt',
    path: 'gateway/ingress/mqtt/',
    named: ['**/ingress/mqtt/**'],
    layers: [...ingressMay, 'mqtt-listeners'],
    packages: ['aedes', 'mqtt-packet', 'node:crypto', 'node:events', 'node:stream'],
  },
  {
    name: 'mqtt-listeners',
    path: 'gateway/ingress/mqtt/listeners/',
    named: ['**/listeners/**'],
    layers: [...ingressMay, 'mqtt'],
    packages: ['ws', 'node:*'],
  },
  {
    name: 'http',
    path: 'gateway/ingress/http/',
    named: ['**/http/**'],
    layers: ingressMay,
    packages: ['@opentelemetry/api', 'node:*'],
  },
  {
    name: 'postgres',
    path: 'gateway/store/postgres/',
    named: ['**/postgres/**'],
    layers: foundations,
    packages: ['drizzle-orm', 'postgres', 'node:*'],
  },
  {
    name: 'admin',
    path: 'gateway/admin/',
    // Not what is generated for it, which has no ending.
    named: ['**/admin/**/*.ts'],
    layers: [...services, 'acceptors', 'rooms', 'structure', 'session', 'config', 'why'],
    packages: ['@connectrpc/connect', '@connectrpc/connect-node', '@opentelemetry/api', 'node:*'],
  },
  {
    name: 'assembly',
    path: 'gateway/assembly/',
    named: ['**/assembly/**'],
    layers: assembled,
    packages: ['@connectrpc/connect', 'node:*'],
  },
  {
    name: 'gateway',
    path: 'gateway/gateway.ts',
    named: ['**/gateway.ts'],
    layers: [...assembled, 'assembly'],
    packages: ['@connectrpc/connect', 'node:*'],
  },
  {
    name: 'cli',
    path: 'gateway/cli/',
    named: ['**/cli/**'],
    layers: [
      ...foundations,
      'locks',
      'acceptors',
      'identity',
      'rooms',
      'session',
      'config',
      'postgres',
      'admin',
      'gateway',
    ],
    packages: [
      'commander',
      '@connectrpc/connect',
      '@connectrpc/connect-node',
      '@porthouse/client',
      'node:*',
    ],
  },
  {
    name: 'main',
    path: 'gateway/main.ts',
    named: ['**/main.ts'],
    layers: ['protocol', 'observe', 'config', 'gateway', 'cli'],
    packages: ['commander', 'node:*'],
  },
  {
    name: 'client',
    path: 'clients/ts/',
    named: ['**/clients/**'],
    layers: [],
    packages: ['ws'],
  },
  {
    // What a page cannot have; apart, so that it does not come with the rest.
    name: 'client-node',
    path: 'clients/ts/src/node/',
    named: ['**/src/node/**'],
    layers: ['client'],
    packages: ['node:*', 'bcrypt-pbkdf'],
  },
  {
    // Samples are programs of a user, who knows the client by its name alone.
    name: 'samples',
    path: 'clients/ts/samples/',
    named: ['**/samples/**'],
    layers: [],
    packages: ['@porthouse/client', 'node:*'],
  },
  {
    // Knows gateways and clients by their wire alone, or it would prove nothing.
    name: 'conformance',
    path: 'conformance/runner/',
    named: ['**/conformance/runner/**'],
    layers: [],
    packages: [
      '@connectrpc/connect',
      '@connectrpc/connect-node',
      'commander',
      'mqtt-packet',
      'ws',
      'yaml',
      'node:*',
    ],
  },
  {
    name: 'conformance-peers',
    path: 'conformance/peers/',
    named: ['**/conformance/peers/**'],
    layers: ['conformance'],
    packages: ['@porthouse/client', 'node:*'],
  },
  {
    // Programs of rooms, as a user writes them.
    name: 'examples',
    path: 'examples/',
    named: ['**/examples/**'],
    layers: [],
    packages: ['porthouse/room'],
  },
  {
    // A module that collects traces, as a user writes it.
    name: 'examples-traces',
    path: 'examples/traces/',
    named: ['**/examples/traces/**'],
    layers: [],
    packages: ['@opentelemetry/sdk-trace-node'],
  },
]

/** The layer of a file, given from the root; undefined for tests, the bench and scripts. */
export function layerOf(file: string): Layer | undefined {
  return layers
    .filter((layer) => file.startsWith(layer.path))
    .toSorted((a, b) => b.path.length - a.path.length)[0]
}

/** Whether a layer may import a package or Node module, given as the import writes it. */
export function mayImportPackage(layer: Layer, specifier: string): boolean {
  return [...everywhere, ...layer.packages].some(
    (allowed) =>
      specifier === allowed ||
      specifier.startsWith(`${allowed}/`) ||
      (allowed === 'node:*' && specifier.startsWith('node:')),
  )
}
