/**
 * TLS of every listener: what is spoken (threat H13), and a certificate that is taken anew when its
 * files change or somebody asks for it.
 */
import { constants } from 'node:crypto'
import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { createServer, type SecureContextOptions, type Server, type TlsOptions } from 'node:tls'
import type { Log } from '../observe/log.ts'

/** Of PEM files. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface SecureParts extends TlsFiles {
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeMs: number
  /** Where the files stand in the config, such as `http.tls`. */
  readonly setting: string
  readonly log: Log
}

export interface SecureServer {
  readonly server: Server
  /**
   * Reads certificate and key anew, for connections from then on. Throws where they are no good;
   * what was good before stays.
   */
  reload(): void
}

/** A pair is written in more than one step; in milliseconds. */
const CALM_MS = 200

/** A server that does not listen yet. Throws where certificate or key are no good. */
export function secureServer(options: TlsOptions, parts: SecureParts): SecureServer {
  const { handshakeMs, setting, log } = parts
  let pair = read(parts)
  const server = createServer({ ...options, ...contextOf(pair), handshakeTimeout: handshakeMs })
  // Who fails at the handshake, or takes too long for it: Node leaves the latter open.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  const take = (next: Pair) => {
    server.setSecureContext(contextOf(next))
    pair = next
  }
  const changed = () => {
    try {
      const next = read(parts)
      if (next.cert.equals(pair.cert) && next.key.equals(pair.key)) return
      take(next)
      log.info({ setting }, 'the certificate has changed, and is read anew')
    } catch (err) {
      log.error({ err, setting }, 'the certificate has changed and is no good; the old one stays')
    }
  }
  server.once('listening', () => {
    const stop = watchFolders([parts.certFile, parts.keyFile], changed, parts)
    server.once('close', stop)
  })
  return { server, reload: () => take(read(parts)) }
}

interface Pair {
  readonly cert: Buffer
  readonly key: Buffer
}

function read({ certFile, keyFile }: TlsFiles): Pair {
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) }
}

/** Nothing below TLS 1.2 is spoken, and nothing is negotiated a second time. */
function contextOf(pair: Pair): SecureContextOptions {
  return { ...pair, minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION }
}

/**
 * Calls when anything in the files' folders has changed and is calm again: a renewal replaces files
 * or the links to them, which who watches the files alone would not see.
 */
function watchFolders(
  files: readonly string[],
  changed: () => void,
  { setting, log }: SecureParts,
): () => void {
  let calm: NodeJS.Timeout | undefined
  const later = () => {
    clearTimeout(calm)
    calm = setTimeout(changed, CALM_MS).unref()
  }
  const lost = (err: unknown) =>
    log.warn({ err, setting }, 'the certificate is not watched; SIGHUP reads it anew')
  const watchers: FSWatcher[] = []
  try {
    for (const folder of new Set(files.map((file) => dirname(file)))) {
      watchers.push(watch(folder, { persistent: false }, later).on('error', lost))
    }
  } catch (error) {
    lost(error)
  }
  return () => {
    clearTimeout(calm)
    for (const watcher of watchers) watcher.close()
  }
}
