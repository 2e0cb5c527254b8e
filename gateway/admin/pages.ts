/**
 * Pages of a list (AIP-158). A page token says where the next page begins; it is bound to the
 * method, what was asked and who asked, and no one else can make one (threat C8).
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from '../protocol/codes.ts'

const PAGE_DEFAULT = 100
const MAC_BYTES = 16

export interface PageRequest {
  /** 0: 100. Checked by the rules of the field. */
  readonly pageSize: number
  readonly pageToken: string
}

export interface Page<Position> {
  readonly limit: number
  /** Where it begins: after this; undefined: the first page. */
  readonly after: Position | undefined
}

/** Reads and makes the page tokens of a gateway, with a key that is its own while it runs. */
export class Pages {
  readonly #key: Uint8Array

  /** `key`: 32 random bytes. */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  /**
   * `query`: what else the answer depends on, for instance method, parent and filters, and the
   * caller's id. Throws Refusal PAGE_TOKEN_INVALID.
   */
  page<Position>({ pageSize, pageToken }: PageRequest, query: readonly string[]): Page<Position> {
    const limit = pageSize || PAGE_DEFAULT
    return { limit, after: pageToken === '' ? undefined : this.#read(pageToken, query) }
  }

  /**
   * Of what the store gave for one more than the page may have: those of the page, and the token of
   * the next, empty where there is none. `positionOf` has to be JSON.
   */
  cut<Item, Position>(
    items: readonly Item[],
    { limit }: Page<Position>,
    query: readonly string[],
    positionOf: (item: Item) => Position,
  ): { items: readonly Item[]; nextPageToken: string } {
    if (items.length <= limit) return { items, nextPageToken: '' }
    const kept = items.slice(0, limit)
    return { items: kept, nextPageToken: this.token(positionOf(kept.at(-1)!), query) }
  }

  /** Of the page that begins after a position, which has to be JSON. */
  token(position: unknown, query: readonly string[]): string {
    const json = Buffer.from(JSON.stringify(position))
    return Buffer.concat([this.#mac(json, query), json]).toString('base64url')
  }

  #read<Position>(token: string, query: readonly string[]): Position {
    const bytes = Buffer.from(token, 'base64url')
    const json = bytes.subarray(MAC_BYTES)
    const mac = bytes.subarray(0, MAC_BYTES)
    if (mac.length !== MAC_BYTES || !timingSafeEqual(mac, this.#mac(json, query))) {
      throw new Refusal(Code.PAGE_TOKEN_INVALID, 'the page token is not of this list')
    }
    return JSON.parse(json.toString()) as Position
  }

  #mac(json: Uint8Array, query: readonly string[]): Buffer {
    const mac = createHmac('sha256', this.#key).update(JSON.stringify(query)).update('\n')
    return mac.update(json).digest().subarray(0, MAC_BYTES)
  }
}
