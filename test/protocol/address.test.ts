import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Address,
  formatAddress,
  parseAddress,
  parseFilter,
  parsePath,
  withKind,
} from '../../gateway/protocol/address.ts'
import { matchesChannel } from '../../gateway/protocol/channel.ts'
import { Refusal } from '../../gateway/protocol/codes.ts'
import { checkSlug, isUuid, RESERVED_WORDS } from '../../gateway/protocol/name.ts'

const UUID = '0190abcd-1234-7abc-8def-0123456789ab'
const ID = 'abcdefgh234567ab'

const slug = fc
  .stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .filter((text) => !RESERVED_WORDS.has(text) && !isUuid(text))
const uuid = fc.uuid()
const name = fc.oneof({ weight: 4, arbitrary: slug }, uuid)
const level = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .map((text) => text.normalize('NFC'))
  .filter((text) => !/[/#+*$\p{Cc}\p{Bidi_Control}]/u.test(text) && !/^\.\.?$/.test(text))
const channel = fc
  .array(level, { minLength: 1, maxLength: 16 })
  .map((levels) => levels.join('/'))
  .filter((text) => Buffer.byteLength(text) <= 255 && !text.startsWith('~'))
const id = fc.stringMatching(/^[a-z2-7]{16}$/)

const roomAddress = fc.record(
  { kind: fc.constant('room' as const), account: name, room: name, channel },
  { requiredKeys: ['kind', 'account', 'room'] },
)
const address: fc.Arbitrary<Address> = fc.oneof(
  roomAddress,
  fc.record({ kind: fc.constant('client' as const), account: name, client: name }),
  fc.record({ kind: fc.constant('lobby' as const), account: name }),
  fc.record({ kind: fc.constant('socket' as const), socket: id }),
  fc.record({ kind: fc.constant('lock' as const), lock: id }),
  fc.record({ kind: fc.constant('group' as const), account: name, room: name, group: slug }),
  fc.record({
    kind: fc.constant('token' as const),
    token: uuid,
    n: fc.integer({ min: 1, max: 999_999_999 }),
  }),
)

/** Nearly addresses: the characters that the grammar gives a meaning, and some that it refuses. */
const nearly = fc
  .array(
    fc.oneof(
      fc.constantFrom('room:', 'client:', 'socket:', 'lock:', 'token:', 'group:', 'lobby:'),
      fc.constantFrom('/', '//', '*', '~'),
      fc.constantFrom(
        '**',
        'v1',
        '..',
        '%2f',
        '%',
        'acme',
        'A',
        '\0',
        '\u202e',
        '\ud800',
        ID,
        UUID,
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

function refusalOf(act: () => unknown): Refusal {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('an address', () => {
  test('is the same after a way through text', () => {
    fc.assert(
      fc.property(address, (given) => {
        const text = formatAddress(given)
        expect(parseAddress(text)).toEqual(given)
        expect(withKind(text)).toBe(text)
      }),
    )
  })

  test('is read, or refused with a code of the grammar', () => {
    const codes: number[] = [Code.ADDRESS_INVALID, Code.NAME_TOO_LONG, Code.NESTING_TOO_DEEP]
    const total = (parse: (text: string) => unknown, allowed: number[]) => (text: string) => {
      try {
        parse(text)
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal)
        expect(allowed).toContain((error as Refusal).code)
      }
    }
    const anything = fc.oneof(nearly, fc.string({ unit: 'binary' }))
    fc.assert(fc.property(anything, total(parseAddress, codes)))
    fc.assert(fc.property(anything, total(parseFilter, codes)))
    fc.assert(fc.property(anything, total(parsePath, [...codes, Code.PATH_UNKNOWN])))
    fc.assert(
      fc.property(anything, (text) => total(parsePath, [...codes, Code.PATH_UNKNOWN])(`/${text}`)),
    )
  })

  test('that is read is written the same, UUIDs in lower case', () => {
    fc.assert(
      fc.property(nearly, (text) => {
        let parsed: Address
        try {
          parsed = parseAddress(text)
        } catch {
          return
        }
        expect(formatAddress(parsed).toLowerCase()).toBe(text.toLowerCase())
      }),
    )
    expect(parseAddress(`client:${UUID.toUpperCase()}/pump`)).toEqual({
      kind: 'client',
      account: UUID,
      client: 'pump',
    })
  })

  test('may be typed without its kind where it is a room', () => {
    expect(withKind('acme/boiler')).toBe('room:acme/boiler')
    expect(withKind('acme/boiler/a:b')).toBe('room:acme/boiler/a:b')
    expect(withKind(`socket:${ID}`)).toBe(`socket:${ID}`)
  })

  const long = 'a'.repeat(64)
  const levels = (count: number) => Array.from({ length: count }, () => 'a').join('/')
  test.each([
    ['', 'the address is empty'],
    ['acme/boiler', 'starts with room:'],
    ['place:acme/boiler', 'starts with room:'],
    ['room:acme', 'room:{account}/{room}'],
    ['room:/boiler', 'the account is empty'],
    ['room:acme/', 'the room is empty'],
    ['room:Acme/boiler', 'the account has upper-case letters'],
    ['room:acme/bo_iler', 'the room has characters other than'],
    ['room:-acme/boiler', 'the account starts with -'],
    ['room:v1/boiler', 'the account is a reserved word'],
    ['room:acme/boiler/', 'a channel is empty'],
    ['room:acme/boiler/~x/y', 'a channel starts with ~'],
    ['room:acme/boiler/a//b', 'an empty level'],
    ['room:acme/boiler/a/', 'an empty level'],
    ['room:acme/boiler/a/../b', 'a level . or ..'],
    ['room:acme/boiler/a\0', 'a control character'],
    ['room:acme/boiler/a\u0085', 'a control character'],
    ['room:acme/boiler/a\u007f', 'a control character'],
    ['room:acme/boiler/a#', '# or +'],
    ['room:acme/boiler/+', '# or +'],
    ['room:acme/boiler/*', 'which is for filters'],
    ['room:acme/boiler/a/**', 'which is for filters'],
    ['room:acme/boiler/$sys', 'starts with $'],
    ['room:acme/boiler/\u202eevil', 'a bidi control character'],
    ['room:acme/boiler/e\u0301', 'form NFC'],
    ['room:acme/boiler/\ud800', 'half a surrogate pair'],
    [`room:acme/boiler/${UUID}`, 'first level is a UUID'],
    ['client:acme', 'client:{account}/{client}'],
    ['client:acme/pump/1', 'client:{account}/{client}'],
    ['client:acme/Pump', 'the client has upper-case letters'],
    ['socket:ABCDEFGH234567AB', 'the socket is not 16 characters'],
    ['lock:abc', 'the lock is not 16 characters'],
    ['group:acme/boiler', 'group:{account}/{room}/{group}'],
    [`group:acme/boiler/${UUID}`, 'the group has the shape of a UUID'],
    ['token:acme/1', 'the token is not a UUID'],
    [`token:${UUID}/0`, "a token's connection"],
    [`token:${UUID}`, 'token:{token}/{n}'],
  ])('%j is invalid', (text, why) => {
    const refusal = refusalOf(() => parseAddress(text))
    expect(refusal.code).toBe(Code.ADDRESS_INVALID)
    expect(refusal.detail).toContain(why)
  })

  test.each([
    ['an account', `room:${long}/boiler`, Code.NAME_TOO_LONG],
    ['a client', `client:acme/${long}`, Code.NAME_TOO_LONG],
    ['a channel in characters', `room:acme/boiler/${'a'.repeat(256)}`, Code.NAME_TOO_LONG],
    ['a channel in bytes', `room:acme/boiler/${'ü'.repeat(128)}`, Code.NAME_TOO_LONG],
    ['all of it', `room:acme/boiler/${'a'.repeat(1 << 20)}`, Code.NAME_TOO_LONG],
    ['levels', `room:acme/boiler/${levels(17)}`, Code.NESTING_TOO_DEEP],
  ])('has a bound for %s', (_what, text, code) => {
    expect(refusalOf(() => parseAddress(text)).code).toBe(code)
  })

  test('is legal up to each of its bounds', () => {
    const name63 = 'a'.repeat(63)
    for (const channel of ['a'.repeat(255), `${'ü'.repeat(127)}a`, levels(16)]) {
      const text = `room:${name63}/${name63}/${channel}`
      expect(formatAddress(parseAddress(text))).toBe(text)
    }
  })
})

describe('a new name', () => {
  test('is a slug and no UUID', () => {
    checkSlug('boiler-7', 'room')
    expect(refusalOf(() => checkSlug(UUID, 'room')).detail).toContain('shape of a UUID')
    for (const word of ['v1', 'user', 'mqtt', 'console']) {
      expect(refusalOf(() => checkSlug(word, 'account')).detail).toContain('reserved')
    }
  })
})

describe('a filter', () => {
  test.each([
    ['room:acme/boiler', undefined],
    ['room:acme/boiler/a', 'a'],
    ['room:acme/boiler/*', '*'],
    ['room:acme/boiler/**', '**'],
    ['room:acme/boiler/a/*/b/**', 'a/*/b/**'],
  ])('%s is one', (text, channel) => {
    expect(parseFilter(text).channel).toBe(channel)
  })

  test.each([
    ['room:acme/boiler/**/a', '** before its last level'],
    ['room:acme/boiler/a*', 'not a level of its own'],
    ['room:acme/boiler/***', 'not a level of its own'],
    ['room:acme/*', 'the room has characters'],
    ['client:acme/pump', 'only a room'],
  ])('%s is none', (text, why) => {
    expect(refusalOf(() => parseFilter(text)).detail).toContain(why)
  })

  test.each([
    ['', '', true],
    ['', 'a/b', true],
    ['a', '', false],
    ['**', '', false],
    ['*', '', false],
    ['a', 'a', true],
    ['a', 'a/b', false],
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['a/*', 'a', false],
    ['a/*', 'a/b', true],
    ['a/*', 'b/b', false],
    ['*/b', 'a/b', true],
    ['**', 'a', true],
    ['**', 'a/b/c', true],
    ['a/**', 'a', false],
    ['a/**', 'a/b/c', true],
    ['a/**', 'ab/c', false],
    ['*/b/**', 'a/b/c', true],
  ])('%j hears %j: %s', (filter, channel, hears) => {
    expect(matchesChannel(filter, channel)).toBe(hears)
  })

  test('made of a channel by putting stars in hears that channel', () => {
    const holes = fc.array(fc.boolean(), { minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(channel, holes, fc.boolean(), (text, hole, open) => {
        const levels = text.split('/').map((level, i) => (hole[i] ? '*' : level))
        if (open) levels.splice(-1, 1, '**')
        const filter = parseFilter(`room:acme/boiler/${levels.join('/')}`).channel as string
        expect(matchesChannel(filter, text)).toBe(true)
        if (!open) expect(matchesChannel(filter, `${text}/more`)).toBe(false)
      }),
    )
  })
})

describe('a URL path', () => {
  test('is the address without its kind, percent-encoded', () => {
    fc.assert(
      fc.property(roomAddress, (given) => {
        const text = formatAddress(given).slice('room:'.length)
        const path = `/${text.split('/').map(encodeURIComponent).join('/')}`
        expect(parsePath(path)).toEqual({ kind: 'room', address: given })
      }),
    )
  })

  test.each([
    ['/v1/ws', undefined, undefined],
    ['/acme/boiler', 'room:acme/boiler', undefined],
    ['/acme/boiler/temp/1', 'room:acme/boiler/temp/1', undefined],
    [`/acme/${UUID}`, `room:acme/${UUID}`, undefined],
    [`/acme/boiler/${UUID.toUpperCase()}/`, 'room:acme/boiler', UUID],
    [`/acme/boiler/${UUID}`, 'room:acme/boiler', UUID],
    [`/acme/boiler/${UUID}/temp`, 'room:acme/boiler/temp', UUID],
    ['/acme/boiler/a%20b', 'room:acme/boiler/a b', undefined],
  ])('%s leads to %s as %s', (path, address, client) => {
    const entry = parsePath(path)
    if (address === undefined) return expect(entry).toEqual({ kind: 'main' })
    expect(entry).toEqual({
      kind: 'room',
      address: parseAddress(address),
      ...(client === undefined ? {} : { client }),
    })
  })

  test.each([
    ['/acme/boiler/~s3cret', 'room:acme/boiler', undefined],
    ['/acme/boiler/~s3cret/', 'room:acme/boiler', undefined],
    ['/acme/boiler/~s3cret/temp/1', 'room:acme/boiler/temp/1', undefined],
    [`/acme/boiler/~s3cret/${UUID}/temp`, 'room:acme/boiler/temp', UUID],
    ['/acme/boiler/%7Es3cret', 'room:acme/boiler', undefined],
  ])('%s shows a secret, and leads to %s as %s', (path, address, client) => {
    expect(parsePath(path)).toEqual({
      kind: 'room',
      address: parseAddress(address),
      secret: 's3cret',
      ...(client === undefined ? {} : { client }),
    })
  })

  test.each(['/user/acme', '/user/acme/'])('%s leads to the lobby of the account', (path) => {
    expect(parsePath(path)).toEqual({ kind: 'lobby', address: parseAddress('lobby:acme') })
  })

  test.each([
    '',
    '/',
    '/acme',
    '/v1',
    '/v1/other',
    '/user',
    '/user/acme/x',
    '/mqtt',
    '/console/x',
    '*',
  ])('%j leads nowhere', (path) => {
    expect(refusalOf(() => parsePath(path)).code).toBe(Code.PATH_UNKNOWN)
  })

  test.each([
    ['/acme/boiler/', 'a channel is empty'],
    ['//boiler', 'the account is empty'],
    ['/acme/../boiler', 'the room has characters'],
    ['/acme/boiler/%2e%2e/x', 'a level . or ..'],
    ['/acme/boiler/a%2Fb', 'hides a /'],
    ['/acme/boiler/%ff', 'not percent-encoded UTF-8'],
    ['/acme/boiler/%', 'not percent-encoded UTF-8'],
    ['/acme/boiler/%00', 'a control character'],
    ['/acme/boiler/ü', 'must be percent-encoded'],
    [`/acme/boiler/${UUID}/a/`, 'an empty level'],
    ['/acme/boiler/%23', '# or +'],
  ])('%s is invalid', (path, why) => {
    const refusal = refusalOf(() => parsePath(path))
    expect(refusal.code).toBe(Code.ADDRESS_INVALID)
    expect(refusal.detail).toContain(why)
  })

  test('has a bound', () => {
    const path = `/acme/boiler/${'a/'.repeat(1 << 20)}`
    expect(refusalOf(() => parsePath(path)).code).toBe(Code.NAME_TOO_LONG)
  })
})
