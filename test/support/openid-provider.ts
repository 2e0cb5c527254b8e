/** A real OpenID provider on a free port, at which anybody logs in by any name. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { vi } from 'vitest'

export interface ProviderClient {
  readonly client_id: string
  readonly client_secret?: string
  readonly redirect_uris: readonly string[]
}

// It tells at length what else an operator should set.
vi.spyOn(console, 'info').mockImplementation(() => undefined)
vi.spyOn(console, 'warn').mockImplementation(() => undefined)

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

export class OpenIdProvider implements AsyncDisposable {
  readonly issuer: string
  readonly #server: Server

  /** Its clients may depend on where it listens. */
  static async start(clients: readonly ProviderClient[]): Promise<OpenIdProvider> {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const provider = new OpenIdProvider(server)
    await provider.#serve(clients)
    return provider
  }

  private constructor(server: Server) {
    this.#server = server
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async #serve(clients: readonly ProviderClient[]): Promise<void> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    const jwk = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'main' }
    const provider = new Provider(this.issuer, {
      clients: clients.map((client) => ({
        ...client,
        token_endpoint_auth_method: client.client_secret ? 'client_secret_basic' : 'none',
        grant_types: ['authorization_code', DEVICE_CODE],
        response_types: ['code'],
      })),
      jwks: { keys: [jwk] },
      cookies: { keys: ['of', 'tests'] },
      features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
      findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    })
    this.#server.on('request', provider.callback())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}
