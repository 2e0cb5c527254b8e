/** What rooms keep of their messages, as interfaces; see store.ts for what holds of all of them. */

export interface Histories {
  /**
   * Takes a room's history for this gateway, and makes it where there is none. Whoever had it
   * before can append to it no more (`append`), so that no position is given twice.
   */
  claim(roomId: string): Promise<HistoryHead>
  /** Undefined where the room has none. */
  head(roomId: string): Promise<HistoryHead | undefined>
  /**
   * Stores all of it in one transaction, on disk when this resolves (unless the server was told
   * otherwise, `syncs`), and resolves with the rooms of which nothing was stored: claimed by
   * another, gone, or with positions that are taken or not the next. The same again stores it once.
   * Where it rejects with an error that is not `certain`, it may have happened, or happen yet, and
   * may so after any error of a later try.
   */
  append(appends: readonly Append[]): Promise<ReadonlySet<string>>
  /**
   * A page, in the order of positions, whichever end it begins at. Looks at 10,000 positions at
   * most, however few of them the filters hear.
   */
  page(roomId: string, range: PageRange): Promise<StoredPage>
  /** Keys of messages stored since then, the oldest first, at most `limit` (the newest). */
  keys(roomId: string, sinceMs: number, limit: number): Promise<StoredKey[]>
  /** Deletes what is beyond the bounds, the oldest first. Resolves with what is left. */
  trim(roomId: string, bounds: RetentionBounds, nowMs: number): Promise<HistoryHead>
  /**
   * Deletes all, begins a new epoch and claims it, so that nothing is added by who does not know of
   * it. Rejects with `missing`, as `trim` does.
   */
  purge(roomId: string): Promise<HistoryHead>
  /** Whether what `append` has stored survives a loss of power. */
  readonly syncs: boolean
}

export interface HistoryHead {
  /** Of the positions; another one says that those known from before are void. */
  readonly epoch: number
  /** Position of the first message kept; last + 1 where none is. */
  readonly first: number
  /** Position given last; 0 where none was. */
  readonly last: number
  /** Rises with each claim. */
  readonly generation: number
  /** Kept. */
  readonly messages: number
  /** Of their bodies. */
  readonly bytes: number
}

export interface StoredMessage {
  readonly sequence: number
  /** UUIDv7, 16 bytes. */
  readonly id: Uint8Array
  /** Of acceptance, in milliseconds since 1970-01-01 UTC. */
  readonly timeMs: number
  /** Address of the sender. */
  readonly from: string
  /** `` for the room itself. */
  readonly channel: string
  /** The Envelope's bytes, without routing and stamp. */
  readonly body: Uint8Array
}

export interface NewMessage extends StoredMessage {
  /** Under which it was sent, if any. */
  readonly key?: MessageKey | undefined
}

export interface MessageKey {
  /** SHA-256 of principal, key and destination. */
  readonly scope: Uint8Array
  /** SHA-256 of the body. */
  readonly body: Uint8Array
}

export interface StoredKey extends MessageKey {
  readonly sequence: number
  readonly id: Uint8Array
  readonly timeMs: number
}

/** Messages of one room, their positions without a gap, from the last one on. */
export interface Append {
  readonly roomId: string
  /** Of the claim. */
  readonly generation: number
  readonly messages: readonly NewMessage[]
}

export interface StoredPage {
  readonly messages: readonly StoredMessage[]
  /**
   * All that the range holds from its beginning (`from`) up to this position, itself included, is
   * in the page: with filters it may be further than the last message. At the end of the range: the
   * last position of the room (of `start`), or the first (of `end`).
   */
  readonly through: number
  /** There may be more beyond it, in the range. */
  readonly more: boolean
}

export interface PageRange {
  /** Only what is after this position, and before that one; the ends themselves excluded. */
  readonly after?: number
  readonly before?: number
  /** Which end of the range the page begins at. */
  readonly from: 'start' | 'end'
  readonly limit: number
  /** Bytes of bodies; one message comes in any case. */
  readonly bytes: number
  /** Only channels that match one of these filters (`` : the room and all of them). */
  readonly filters: readonly string[]
}

/** Absent: no such bound. */
export interface RetentionBounds {
  readonly messages?: number
  readonly bytes?: number
  readonly ageMs?: number
}

/** How far clients, and tokens without one, have read (R36). */
export interface Cursors {
  /**
   * Of several for one the furthest counts, and none moves back, nor beyond the last position.
   * Those of rooms without a history are left out.
   */
  move(moves: readonly CursorMove[]): Promise<void>
  /** 0 where there is none. `holder`: UUID of the client, or of the token. */
  find(roomId: string, holder: string): Promise<number>
  /** Of the room's present epoch, by the UUIDs of their holders, at most `limit`. */
  list(roomId: string, page: { after?: string | undefined; limit: number }): Promise<HeldCursor[]>
  /**
   * How much each of these rooms has after the holder's cursor, counted up to `max`; those without
   * a history are left out. Where filters leave out some of a room, no more than the last 10,000
   * positions are looked at.
   */
  unread(holder: string, rooms: readonly UnreadQuery[], max: number): Promise<UnreadCount[]>
}

export interface CursorMove {
  readonly roomId: string
  readonly holder: string
  readonly sequence: number
}

export interface HeldCursor {
  /** UUID of the client, or of the token. */
  readonly holder: string
  /** Slug of the client; absent: it is a token. */
  readonly client?: string
  readonly sequence: number
}

export interface UnreadQuery {
  readonly roomId: string
  /** That he may hear. */
  readonly filters: readonly string[]
}

export interface UnreadCount {
  readonly roomId: string
  readonly epoch: number
  readonly cursor: number
  readonly last: number
  readonly count: number
}

/** Last values of channels (block retained). */
export interface RetainedValues {
  /** Of all of the room's channels. */
  load(roomId: string): Promise<StoredMessage[]>
  /** Of several for one channel the last counts; without a message it has none any more. */
  save(values: readonly RetainedValue[]): Promise<void>
}

export interface RetainedValue {
  readonly roomId: string
  readonly channel: string
  readonly message?: StoredMessage
}
