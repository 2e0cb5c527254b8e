/**
 * The login of browsers over HTTP: to the provider, back from it, and out again. What proves whom
 * is for a BrowserLogins; here are the routes, the cookies and where a browser may be sent (K9).
 */
import { Code } from '@porthouse/proto/v1/code'
import { type BrowserLogins, CALLBACK_PATH, type Headers } from '../../identity/browser-logins.ts'
import { LOGIN_COOKIE } from '../../identity/logins.ts'
import { Refusal } from '../../protocol/codes.ts'
import { parseName } from '../../protocol/name.ts'
import { type HttpRequest, type HttpResponse, type Route, respond } from './route.ts'

export interface LoginOptions {
  readonly logins: BrowserLogins
  /** What browsers reach the gateway by, an origin; undefined where nobody knows. */
  readonly publicUrl: () => string | undefined
  /** Other origins that a browser may be sent back to. */
  readonly origins: readonly string[]
  /** Whether a page of the headers' Origin may use what the browser knows of its user (H5). */
  readonly trustsPage: (headers: Headers) => boolean
  /** Whether the browser has TLS. */
  readonly isSecure: (request: HttpRequest) => boolean
}

/** Of answers that set cookies, and of a URL that holds a code (K16). */
const PRIVATE = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }

const RETURN_CHARS_MAX = 2_048

export function loginRoutes(options: LoginOptions): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/v1\/login\/callback$/,
      answer: (request, response) => finish(options, request, response),
    },
    {
      method: 'GET',
      path: /^\/v1\/login\/([^/]+)\/([^/]+)$/,
      answer: (request, response, [account, room]) =>
        start(options, request, response, {
          account: parseName(account as string, 'account'),
          room: parseName(room as string, 'room'),
        }),
    },
    {
      method: 'POST',
      path: /^\/v1\/logout$/,
      answer: (request, response) => end(options, request, response),
    },
  ]
}

async function start(
  options: LoginOptions,
  request: HttpRequest,
  response: HttpResponse,
  place: { account: string; room: string },
): Promise<void> {
  const query = queryOf(request)
  const issuer = query.get('issuer')
  const returnTo = readReturn(query.get('return_to'), options)
  const wish = { ...place, returnTo, ...(issuer !== null && { issuer }) }
  const { location, cookie } = await options.logins.start(wish)
  const { name, value, maxAgeMs } = cookie
  const set = setCookie(options, request, { name, value, maxAgeMs, path: CALLBACK_PATH })
  respond(response, 302, { ...PRIVATE, location, 'set-cookie': set })
}

async function finish(
  options: LoginOptions,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const done = await options.logins.finish(queryOf(request), headersOf(request))
  const { cookie: value, maxAgeMs, returnTo, spent } = done
  const cookies = [
    setCookie(options, request, { name: LOGIN_COOKIE, value, maxAgeMs, path: '/' }),
    setCookie(options, request, { name: spent, value: '', maxAgeMs: 0, path: CALLBACK_PATH }),
  ]
  const headers = { ...PRIVATE, 'set-cookie': cookies }
  if (returnTo !== '') return respond(response, 302, { ...headers, location: returnTo })
  const type = { 'content-type': 'text/plain; charset=utf-8' }
  respond(response, 200, { ...headers, ...type }, 'logged in; you may close this page\n')
}

async function end(
  options: LoginOptions,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const headers = headersOf(request)
  if (headers.origin === undefined || !options.trustsPage(headers)) {
    throw new Refusal(Code.ORIGIN_NOT_ALLOWED, 'a page of the gateway or of http.origins may')
  }
  await options.logins.end(headers)
  const gone = setCookie(options, request, {
    name: LOGIN_COOKIE,
    value: '',
    maxAgeMs: 0,
    path: '/',
  })
  respond(response, 204, { ...PRIVATE, 'set-cookie': gone })
}

/** The URL to go back to, or '' for none; never to a site that nobody configured. */
function readReturn(text: string | null, { publicUrl, origins }: LoginOptions): string {
  if (text === null) return ''
  const base = publicUrl()
  if (text.length <= RETURN_CHARS_MAX && base !== undefined && URL.canParse(text, base)) {
    const url = new URL(text, base)
    if ([new URL(base).origin, ...origins].includes(url.origin)) return url.href
  }
  throw new Refusal(Code.ORIGIN_NOT_ALLOWED, 'return_to is no page of the gateway or http.origins')
}

function setCookie(
  { publicUrl, isSecure }: LoginOptions,
  request: HttpRequest,
  cookie: { name: string; value: string; maxAgeMs: number; path: string },
): string {
  const { name, value, maxAgeMs, path } = cookie
  const age = Math.floor(maxAgeMs / 1000)
  const secure = publicUrl()?.startsWith('https:') || isSecure(request) ? '; Secure' : ''
  return `${name}=${value}; Path=${path}; Max-Age=${age}; HttpOnly; SameSite=Lax${secure}`
}

function queryOf({ url = '' }: HttpRequest): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : url.slice(start))
}

function headersOf({ headers }: HttpRequest): Headers {
  const { cookie, origin, host = headers[':authority'] as string | undefined } = headers
  return { cookie, origin, host }
}
