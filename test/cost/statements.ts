/** What goes to PostgreSQL on some connections, by its frontend/backend protocol, version 3. */

export interface StoreCosts {
  /** Times that the server is asked and its answer waited for. */
  readonly roundTrips: number
  /** Each is a transaction where none is begun. */
  readonly statements: number
  /** That are sent. */
  readonly bytes: number
}

const TYPE_BYTES = 1
const LENGTH_BYTES = 4
const EXECUTE = 'E'
const QUERY = 'Q'
const SYNC = 'S'

interface Connection {
  unread: Buffer
  /** The startup message has come, which has no type. */
  isStarted: boolean
  isCounted: boolean
}

export class Statements {
  readonly #name: string
  readonly #connections = new WeakMap<object, Connection>()
  #roundTrips = 0
  #statements = 0
  #bytes = 0

  /** Of connections whose `application_name` this is. */
  constructor(name: string) {
    this.#name = name
  }

  get costs(): StoreCosts {
    return { roundTrips: this.#roundTrips, statements: this.#statements, bytes: this.#bytes }
  }

  /** Takes what a client sends. */
  hear(client: object, chunk: Buffer): void {
    const known = this.#connections.get(client)
    const connection = known ?? { unread: Buffer.alloc(0), isStarted: false, isCounted: false }
    this.#connections.set(client, connection)
    connection.unread = Buffer.concat([connection.unread, chunk])
    while (this.#take(connection));
  }

  #take(connection: Connection): boolean {
    const { unread, isStarted } = connection
    const start = isStarted ? TYPE_BYTES : 0
    if (unread.length < start + LENGTH_BYTES) return false
    const end = start + unread.readUInt32BE(start)
    if (unread.length < end) return false
    const message = unread.subarray(0, end)
    connection.unread = unread.subarray(end)
    if (isStarted) this.#count(connection, message)
    else connection.isCounted = message.includes(`application_name\0${this.#name}\0`)
    connection.isStarted = true
    return true
  }

  #count({ isCounted }: Connection, message: Buffer): void {
    if (!isCounted) return
    const type = message.toString('latin1', 0, TYPE_BYTES)
    this.#bytes += message.length
    if (type === SYNC || type === QUERY) this.#roundTrips++
    if (type === EXECUTE || type === QUERY) this.#statements++
  }
}
