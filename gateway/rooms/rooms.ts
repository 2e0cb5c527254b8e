/** The rooms that somebody is in: loaded at the first join, gone with the last member (R26). */
import type { Graph } from '../router/graph.ts'
import { Place } from '../router/place.ts'
import type { Turn } from '../router/turn.ts'
import type { RoomRecord, Rooms as StoredRooms } from '../store/store.ts'
import { type FlowReader, type RoomConfig, readConfig } from './config.ts'

export interface Room {
  record: RoomRecord
  config: RoomConfig
  readonly place: Place
  /** Sockets in it, listening or not. */
  members: number
  /** It is no more: nobody enters it. */
  forgotten: boolean
}

export class Rooms {
  readonly #stored: StoredRooms
  readonly #graph: Graph
  readonly #turn: Turn
  readonly #clock: () => number
  readonly #flows: FlowReader
  /** By every name of it, see `namesOf`. */
  readonly #loaded = new Map<string, Room>()
  readonly #byRoute = new Map<number, Room>()
  readonly #byId = new Map<string, Room>()
  readonly #loading = new Map<string, Promise<Room | undefined>>()
  #routes = 0
  /** Given last. */
  #epoch = 0

  constructor(parts: {
    stored: StoredRooms
    graph: Graph
    turn: Turn
    clock: () => number
    flows: FlowReader
  }) {
    this.#stored = parts.stored
    this.#graph = parts.graph
    this.#turn = parts.turn
    this.#clock = parts.clock
    this.#flows = parts.flows
  }

  /**
   * A room by account and name, each a slug or a UUID: at once where it is loaded. Undefined where
   * there is none; rejects with StoreError. Whoever does not join what he opened must `release` it.
   */
  open(account: string, room: string): Room | Promise<Room | undefined> {
    const name = `${account}/${room}`
    const loaded = this.#loaded.get(name)
    if (loaded) return loaded
    let loading = this.#loading.get(name)
    if (!loading) {
      loading = this.#load(account, room).finally(() => this.#loading.delete(name))
      this.#loading.set(name, loading)
    }
    return loading
  }

  /** An account's rooms, loaded or not. Rejects with StoreError. */
  list(account: string): Promise<RoomRecord[]> {
    return this.#stored.list(account)
  }

  /** The loaded room behind a place. */
  at({ route }: Place): Room {
    return this.#byRoute.get(route) as Room
  }

  /** Those that are loaded. */
  get loaded(): Iterable<Room> {
    return this.#byRoute.values()
  }

  /** A loaded one, by its UUID. */
  byId(id: string): Room | undefined {
    return this.#byId.get(id)
  }

  /** Resolves when all are loaded that are being loaded now, or cannot be. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#loading.values())
  }

  /** It was deleted: who is in it is to leave, and its names are free for another. */
  forget(room: Room): void {
    room.forgotten = true
    this.#unname(room)
    this.release(room)
  }

  /** Takes a changed config over, without dropping anybody (R19). Throws as readConfig does. */
  configure(room: Room, record: RoomRecord): void {
    room.config = readConfig(record.config, this.#flows)
    room.record = record
    room.place.config = room.config
  }

  async #load(account: string, name: string): Promise<Room | undefined> {
    const record = await this.#stored.find(account, name)
    if (!record) return undefined
    const names = namesOf(record)
    // Meanwhile it may have been loaded by another of its names.
    const loaded = this.#loaded.get(names[0] as string)
    if (loaded) return loaded
    const config = readConfig(record.config, this.#flows)
    const slugs = `${record.account.slug}/${record.slug}`
    // Nothing is kept of such a room, so its positions begin anew with each loading: in an epoch of
    // their own, even within one millisecond.
    this.#epoch = Math.max(this.#clock(), this.#epoch + 1)
    const place = new Place(
      ++this.#routes,
      slugs,
      { epoch: this.#epoch, sequence: 0 },
      config,
      this.#turn,
    )
    const room: Room = { record, config, place, members: 0, forgotten: false }
    for (const each of names) this.#loaded.set(each, room)
    this.#byRoute.set(place.route, room)
    this.#byId.set(record.id, room)
    this.#graph.addPlace(place, names)
    return room
  }

  /**
   * Unloads a room that nobody is in, at the end of the turn: others who opened it in this turn may
   * join it yet, and must all be in the same one.
   */
  release(room: Room): void {
    if (room.members === 0) this.#turn.touch({ flush: () => this.#unload(room) })
  }

  #unload(room: Room): void {
    if (room.members > 0) return
    this.#unname(room)
    this.#byRoute.delete(room.place.route)
  }

  #unname({ record, place }: Room): void {
    if (this.#byId.get(record.id)?.place !== place) return
    const names = namesOf(record)
    for (const each of names) this.#loaded.delete(each)
    this.#byId.delete(record.id)
    this.#graph.removePlace(names)
  }
}

function namesOf({ account, slug, id }: RoomRecord): string[] {
  return [
    `${account.slug}/${slug}`,
    `${account.slug}/${id}`,
    `${account.id}/${slug}`,
    `${account.id}/${id}`,
  ]
}
