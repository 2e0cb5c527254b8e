/** Who is connected: sockets by id, clients by address, places by route and by name (R28). */
import type { Place } from './place.ts'
import type { Socket } from './socket.ts'

const NOBODY: ReadonlySet<Socket> = new Set()

export class Graph {
  readonly #sockets = new Map<string, Socket>()
  readonly #clients = new Map<string, Set<Socket>>()
  readonly #places = new Map<string, Place>()

  addSocket(socket: Socket): void {
    this.#sockets.set(socket.id, socket)
  }

  removeSocket(socket: Socket): void {
    this.#sockets.delete(socket.id)
    for (const name of socket.clientNames) {
      const sockets = this.#clients.get(name)
      sockets?.delete(socket)
      if (sockets?.size === 0) this.#clients.delete(name)
    }
  }

  /** A client goes by its slugs and by its UUIDs. */
  addClient(socket: Socket): void {
    for (const name of socket.clientNames) {
      const sockets = this.#clients.get(name)
      if (sockets) sockets.add(socket)
      else this.#clients.set(name, new Set([socket]))
    }
  }

  socket(id: string): Socket | undefined {
    return this.#sockets.get(id)
  }

  /** By address, `client:{account}/{client}`, each a slug or a UUID. */
  socketsOf(client: string): ReadonlySet<Socket> {
    return this.#clients.get(client) ?? NOBODY
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
}
