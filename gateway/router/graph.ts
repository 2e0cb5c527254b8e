/** Who is connected: sockets by id, clients by address, places by route and by name (R28). */
import type { RateLimit } from '../protocol/rate-limit.ts'
import type { Place } from './place.ts'
import { SetMap } from './set-map.ts'
import type { Socket } from './socket.ts'

const ROOM = 'room:'

/** A socket at a lock (R16). */
export interface Waiting {
  readonly socket: Socket
  /** Of what it may say to them. */
  readonly rate: RateLimit
  /** Those who may let it in, as of now. */
  approvers(): readonly Socket[]
}

/** Where destinations are found. */
export type Places = Pick<Graph, 'place' | 'socketsOf' | 'waitingAt'>

export class Graph {
  readonly #sockets = new Map<string, Socket>()
  readonly #named = new SetMap<string, Socket>()
  readonly #locks = new Map<string, Waiting>()
  readonly #places = new Map<string, Place>()

  addSocket(socket: Socket): void {
    this.#sockets.set(socket.id, socket)
  }

  removeSocket(socket: Socket): void {
    this.#sockets.delete(socket.id)
    this.removeNames(socket, socket.names.keys())
  }

  /** A client goes by its slugs and by its UUIDs, a token's connection by its number. */
  addNames(socket: Socket, names: Iterable<string>): void {
    for (const name of names) this.#named.add(name, socket)
  }

  removeNames(socket: Socket, names: Iterable<string>): void {
    for (const name of names) this.#named.delete(name, socket)
  }

  socket(id: string): Socket | undefined {
    return this.#sockets.get(id)
  }

  /** By `client:{account}/{client}`, each a slug or a UUID, or `token:{token}/{n}`. */
  socketsOf(name: string): ReadonlySet<Socket> {
    return this.#named.of(name)
  }

  /** By the lock's id. */
  waitingAt(lock: string): Waiting | undefined {
    return this.#locks.get(lock)
  }

  /** Sockets at a lock; one at several stands here as often. */
  get waiting(): Iterable<Waiting> {
    return this.#locks.values()
  }

  addLock(lock: string, waiting: Waiting): void {
    this.#locks.set(lock, waiting)
  }

  removeLock(lock: string): void {
    this.#locks.delete(lock)
  }

  /** A place goes by its slugs and by its UUIDs. */
  addPlace(place: Place, names: readonly string[]): void {
    for (const name of names) this.#places.set(name, place)
  }

  removePlace(names: readonly string[]): void {
    for (const name of names) this.#places.delete(name)
  }

  /** By `{account}/{room}`, each a slug or a UUID. */
  place(name: string): Place | undefined {
    return this.#places.get(name)
  }

  /** By the address of the room itself; of anything else there is none. */
  placeAt(address: string): Place | undefined {
    return address.startsWith(ROOM) ? this.place(address.slice(ROOM.length)) : undefined
  }
}
