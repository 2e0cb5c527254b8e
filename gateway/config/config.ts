/**
 * What an operator may set, each with its unit, default and meaning: the one table that the config
 * file, the environment, the flags, `porthouse config` and docs/cli.md agree with.
 */
import { z } from 'zod'
import { gatewayUrl } from '../protocol/gateway-url.ts'
import { features } from './features.ts'
import {
  bool,
  bytes,
  choice,
  count,
  endpoint,
  list,
  listener,
  ms,
  seconds,
  text,
} from './setting.ts'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const KIB = 1024
const MIB = 1024 * KIB

/** What MQTT can count in two bytes. */
const MAX_16_BIT = 0xffff

const SERVER_REFERENCE_CHARS_MAX = 1024

/** A section may be left out; each of its settings then has its default. */
function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape).prefault({} as never)
}

export const schema = z.strictObject({
  http: section({
    listen: endpoint('127.0.0.1:8080', 'where HTTP and WebSocket listen; port 0 takes a free one'),
    publicUrl: z
      .string()
      .refine((url) => gatewayUrl(url) !== undefined)
      .optional()
      .meta({
        allowed: 'https://HOST[:PORT]',
        meaning:
          'what the gateway is reached by: clients sign it, and logins lead back to it; absent: ' +
          'the names of this machine for itself, while http.listen is loopback',
      }),
    origins: list(
      z.string().regex(/^(\*|https?:\/\/[^/?#\s]+)$/),
      [],
      'origins such as https://app.example, or *',
      'web pages that may connect; those of this machine always may while nobody else may reach it',
    ),
    trustedProxies: list(
      z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]),
      [],
      'addresses and networks such as 10.0.0.0/8 or ::1',
      'proxies that are believed whom they speak for, by Forwarded or X-Forwarded-For and -Proto',
    ),
    tls: section({
      listen: listener(
        '127.0.0.1:8443',
        'where HTTP and WebSocket listen on TLS 1.2 and later, once the files are given',
      ),
      ...certificate(),
    }),
    streams: count(250, 1, 'requests that one connection of HTTP/2 may have open at once'),
    idleMs: ms(300_000, 50, 'how long a connection of HTTP/2 may be open without a request'),
  }),
  mqtt: section({
    listen: listener('127.0.0.1:1883', 'where MQTT listens on plain TCP; port 0 takes a free one'),
    tls: section({
      listen: listener(
        '127.0.0.1:8883',
        'where MQTT listens on TLS 1.2 and later, once certFile and keyFile are given',
      ),
      ...certificate(),
    }),
    websocket: bool(true, 'serves MQTT over WebSocket as well: /mqtt where HTTP listens'),
    connectTimeoutMs: ms(
      10_000,
      50,
      'how long a connection may take to send its CONNECT, and then the store to let it in',
    ),
    keepAliveMaxS: seconds(
      0,
      0,
      'longest keep alive of an MQTT 5 client, imposed on those that ask for more; 0: their own',
      MAX_16_BIT,
    ),
    receiveMaximum: count(
      64,
      1,
      'publishes of QoS 1 and 2 that a client may have unacknowledged',
      MAX_16_BIT,
    ),
    inflight: count(
      1_024,
      1,
      'messages of QoS 1 and 2 that are unacknowledged by a client; fewer where it asks for that',
      MAX_16_BIT,
    ),
    topicAliases: count(32, 0, 'topic aliases of a connection, each way', MAX_16_BIT),
    sessionExpiryMaxS: seconds(604_800, 0, 'longest that a session may outlive its connection'),
    sessions: count(100_000, 0, 'sessions that may outlive their connection, in all'),
    sessionsPerPrincipal: count(1_000, 0, 'those of one token or client'),
    queueMessages: count(1_000, 0, 'messages that are kept for a session while it is away'),
    queueBytes: bytes(1 * MIB, 0, 'bytes of them; the oldest go first'),
    serverReference: z.string().min(1).max(SERVER_REFERENCE_CHARS_MAX).optional().meta({
      allowed: 'HOST[:PORT], or several with blanks between',
      meaning: 'where MQTT 5 clients are told to go while this gateway goes down',
    }),
  }),
  messages: section({
    authors: count(
      10_000,
      1,
      'tokens and keys by which somebody posts messages over HTTP, that are kept in their rooms',
    ),
    idleMs: ms(60_000, 50, 'how long at least, after the last post of each'),
    waiting: count(1_024, 1, 'posts of one token or key that may be under way'),
    bodyBytes: bytes(64 * MIB, 1 * KIB, 'bodies of all posts that are under way'),
  }),
  admin: section({
    listen: listener(
      'off',
      'an address of its own for administration, which is then served there alone',
    ),
    tls: section(certificate()),
    insecure: bool(
      false,
      'serves administration without TLS where others may reach it; else that is refused',
    ),
    perSecond: count(200, 1, 'calls a second of one API key, token or person; not of the operator'),
    burst: count(1_000, 1, 'calls of it at once'),
    requestBytes: bytes(4 * MIB, 1 * KIB, 'one message of a request'),
    timeoutMs: ms(60_000, 1, 'longest deadline that a call may have'),
    requests: section({
      windowMs: ms(600_000, 0, 'how long a request id is remembered with its answer'),
      max: count(10_000, 0, 'answers remembered at once'),
    }),
    streams: section({
      max: count(1_024, 1, 'streams of administration, in all'),
      perCaller: count(1_024, 1, 'those of one caller'),
      strangers: count(64, 0, 'those of all who call without credentials: health, reflection'),
      waiting: count(
        10_000,
        1,
        'events or changes that wait for the reader of one; more are missed',
      ),
      silenceMs: ms(25_000, 50, 'silence on one after which an empty answer says that it goes on'),
    }),
    reflection: bool(true, 'tells everybody, by gRPC reflection, what calls there are'),
    oidc: section({
      issuer: z
        .url({ protocol: /^https?$/ })
        .optional()
        .meta({
          allowed: 'a URL',
          meaning: 'the OpenID provider whose JWTs are taken as credentials of administration',
        }),
      audience: z.string().min(1).max(256).optional().meta({
        allowed: 'a text',
        meaning: 'what `aud` of such a JWT has to be',
      }),
      claim: z
        .string()
        .regex(/^[\w:./-]{1,128}$/)
        .default('porthouse')
        .meta({
          allowed: 'the name of a claim',
          meaning:
            'has the role: operator, auditor, or in an account such as owner:acme, admin:acme',
        }),
    }),
    audit: section({
      days: count(365, 1, 'how long the audit log is kept'),
      entries: count(1_000_000, 1, 'entries that are kept'),
    }),
  }),
  metrics: section({
    listen: listener('off', 'an address of its own where anybody may read /metrics'),
  }),
  data: text('a folder', 'where everything that lasts is kept, unless databaseUrl is set'),
  databaseUrl: z.string().refine(isPostgresUrl).optional().meta({
    allowed: 'postgres://USER:PASSWORD@HOST:PORT/DATABASE',
    meaning: 'a PostgreSQL server to use in place of the embedded one',
  }),
  features: features(),
  log: choice(LOG_LEVELS, 'info', 'the least important level that is logged'),
  heartbeatMs: ms(25_000, 50, 'silence after which a socket is asked for a sign of life'),
  limbo: section({
    deadlineMs: ms(10_000, 50, 'how long a socket may stay without a proved identity (R14)'),
    bytes: bytes(64 * KIB, 1 * KIB, 'what it may send until then'),
    frames: count(64, 1, 'frames it may send until then'),
    tries: count(3, 1, 'wrong answers to one lock before the socket is dropped'),
    failures: count(
      300,
      1,
      'wrong answers a minute from one network (/24 or /64); beyond it nobody new is let in there',
    ),
  }),
  teleprinter: section({
    halfLifeMs: ms(
      600_000,
      1,
      'how long one wrong answer bars the network that it came from (R17)',
    ),
    paceMax: count(1_000, 10, 'fastest pace that may be asked for, in characters a second'),
  }),
  connections: section({
    max: count(50_000, 1, 'sockets in all'),
    perAddress: count(10_000, 1, 'sockets from one network address'),
  }),
  limits: section({
    packetBytes: bytes(1 * MIB, 1 * KIB, 'one packet'),
    packetFrames: count(1024, 1, 'frames in a packet'),
    frameBytes: bytes(512 * KIB, 1 * KIB, 'one frame; no more than limits.packetBytes'),
    payloadBytes: bytes(256 * KIB, 1, 'payload or text of a message; less than limits.frameBytes'),
    headersBytes: bytes(8 * KIB, 0, 'all headers of a message'),
    headers: count(64, 0, 'headers of a message'),
    destinations: count(64, 1, 'destinations of a message'),
    rooms: count(1024, 1, 'rooms that one socket may be in'),
    subscriptions: count(1024, 1, 'channels and rooms that one socket may listen on'),
  }),
  outbox: section({
    bytes: bytes(
      1 * MIB,
      1 * KIB,
      'what may wait for one socket (R46); at least limits.frameBytes',
    ),
    ageMs: ms(30_000, 50, 'how long the oldest of it may wait'),
    probeMs: ms(
      750,
      50,
      'how long a WebSocket may leave 512 KiB and a ping unread before what comes next waits',
    ),
  }),
  pendingBytes: bytes(
    4 * MIB,
    0,
    "a socket's frames held back during a lock or an entry; it is not read from meanwhile",
  ),
  idempotency: section({
    windowMs: ms(120_000, 0, 'how long an idempotency key is remembered'),
    keys: count(100_000, 0, 'keys remembered at once'),
  }),
  history: section({
    waitMs: ms(1_500, 50, 'how long a sender waits for the store before it is told (R37)'),
    queueBytes: bytes(
      32 * MIB,
      1 * MIB,
      'what waits for the store: messages of all rooms, and as much of last values',
    ),
    batchMessages: count(1_024, 1, 'messages in one transaction'),
    batchBytes: bytes(4 * MIB, 1 * MIB, 'bytes of them; one message is always taken'),
    windowBytes: bytes(
      64 * MIB,
      0,
      'windows of messages of rooms that nobody is in; the longest empty go first',
    ),
    sessionBytes: bytes(32 * MIB, 0, 'session histories of all connections in one room (R24)'),
  }),
  programs: section({
    folder: z.string().min(1).optional().meta({
      allowed: 'a folder',
      meaning: "modules of rooms' programs (R25); absent: there are none",
    }),
    watch: bool(false, 'begins programs anew when a file of the folder changes: for development'),
    memoryMb: count(
      64,
      8,
      "MiB of heap that one account's programs may use, and as much beside it",
    ),
    queue: count(1_000, 1, 'messages of one room that may wait for its program'),
    queueBytes: bytes(
      8 * MIB,
      1 * MIB,
      "messages of all of an account's rooms that may wait for programs",
    ),
    waitMs: ms(5_000, 1, 'how long a message may wait for its turn with a program'),
  }),
  resume: section({
    windowMs: ms(
      120_000,
      0,
      'how long after its connection a client may resume without proof (R12)',
    ),
    tokens: count(50_000, 0, 'connections that have ended and may be resumed'),
    messages: count(100, 0, "messages of a client's own channel that stay as long (R43)"),
    bytes: bytes(64 * KIB, 0, 'bytes of them'),
    allBytes: bytes(32 * MIB, 0, 'bytes of all clients; those sent to longest ago go first'),
  }),
  logins: section({
    records: count(
      10_000,
      0,
      'tokens and connection keys that are kept for a second, for the next login by them (R33)',
    ),
  }),
  technical: section({
    roomSockets: count(256, 0, 'sockets of a room up to which they may hear who comes and goes'),
  }),
  why: section({
    messages: count(10_000, 1, 'messages whose path is kept, to be asked for (R49); feature why'),
    bytes: bytes(8 * MIB, 64 * KIB, 'bytes of these paths; the oldest go first'),
    ageMs: ms(600_000, 50, 'how long a path is kept'),
  }),
  traces: section({
    sdk: z
      .string()
      .min(1)
      .optional()
      .meta({
        allowed: 'a module, by its path or by its name as packages are found from here',
        meaning:
          'imported at start to register an OpenTelemetry provider (feature traces); absent: ' +
          'spans go to the one that the embedding program registers, if any; see tracing.md',
      }),
  }),
  drainMs: ms(5_000, 0, 'how long sockets have to take what waits for them at the end'),
  demo: bool(false, 'makes account demo, rooms demo/hello and demo/board and a token at start'),
})

function certificate() {
  return {
    certFile: file(
      'the certificate and those that lead to its root, in PEM; read anew when it changes',
    ),
    keyFile: file('the private key of it, in PEM'),
  }
}

function file(meaning: string) {
  return z.string().min(1).optional().meta({ allowed: 'a file', meaning })
}

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T

/** The effective settings: validated, complete and deeply frozen. Sizes in bytes, times in ms. */
export type Config = Frozen<z.output<typeof schema>>

/** The same as written in a config file: anything may be left out. */
export type Settings = Partial<z.input<typeof schema>>

function isPostgresUrl(url: string): boolean {
  return URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)
}
