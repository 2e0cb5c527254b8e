/** An issuer whose metadata, keys and tokens are whatever a test wants, however wrong. */
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { type Answerer, json, WebServer } from './web-server.ts'

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

export interface IssuerKey {
  readonly kid: string
  readonly alg: string
  readonly sign: PrivateKey
  readonly jwk: JWK
}

export async function newKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, sign: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } }
}

export class TokenIssuer implements AsyncDisposable {
  /** What its JWKS shows. */
  keys: JWK[]
  /** Answers in place of the metadata, or of the JWKS. */
  metadata: Answerer | undefined
  jwks: Answerer | undefined
  readonly key: IssuerKey
  readonly #server: WebServer

  static async start(kid = 'one'): Promise<TokenIssuer> {
    return new TokenIssuer(await WebServer.start(), await newKey(kid))
  }

  private constructor(server: WebServer, key: IssuerKey) {
    this.#server = server
    this.key = key
    this.keys = [key.jwk]
    server.answer = (asked, response) => {
      if (asked.path === '/jwks') {
        return this.jwks ? this.jwks(asked, response) : json(response, { keys: this.keys })
      }
      return this.metadata ? this.metadata(asked, response) : json(response, this.describes())
    }
  }

  get url(): string {
    return this.#server.url
  }

  /** How often its JWKS was asked for. */
  get fetched(): number {
    return this.#server.asked.filter(({ path }) => path === '/jwks').length
  }

  /** How often its metadata was asked for. */
  get discovered(): number {
    return this.#server.asked.length - this.fetched
  }

  /** Everything that it was asked, by path. */
  get paths(): string[] {
    return this.#server.asked.map(({ path }) => path)
  }

  describes() {
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/auth`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    }
  }

  claims(more: object = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000)
    return { iss: this.url, aud: 'hub', sub: 'alice', iat: now, exp: now + 600, ...more }
  }

  /** A token of these claims; undefined takes a claim away. */
  token(more: object = {}, header: Partial<JWTHeaderParameters> = {}, key = this.key) {
    const claims = Object.entries(this.claims(more)).filter(([, value]) => value !== undefined)
    return new SignJWT(Object.fromEntries(claims))
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
      .sign(key.sign)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}
