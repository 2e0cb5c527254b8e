/**
 * The rooms that somebody is in: loaded at the first join, gone with the last member, or as soon as
 * what is still to be stored is, and a window of messages has passed (R26).
 */

import { straight } from '../router/deliver.ts'
import type { Graph } from '../router/graph.ts'
import { Place } from '../router/place.ts'
import type { Turn } from '../router/turn.ts'
import type { ListedRoom, RoomRecord, Rooms as StoredRooms } from '../store/store.ts'
import type { AwayKeeper, AwayKeepers } from './away.ts'
import { type FlowReader, type RoomConfig, readConfig } from './config.ts'
import type { Lingering } from './history/lingering.ts'
import type { RoomHistories } from './history/room-histories.ts'
import type { RoomHistory } from './history/room-history.ts'
import { intakeOf, keeperOf } from './keeper.ts'
import type { RoomProgram, RoomPrograms } from './program.ts'
import { programOf } from './programmed.ts'
import type { RetainedRooms } from './retained/retained-rooms.ts'
import type { RetainedValues } from './retained/retained-values.ts'
import { SessionHistory } from './session-history.ts'

export interface Room {
  record: RoomRecord
  config: RoomConfig
  readonly place: Place
  history: RoomHistory
  /** Undefined where it keeps none; so with the next. */
  sessionHistory: SessionHistory | undefined
  retained: RetainedValues | undefined
  /** Of those who are away; undefined where no ingress has any. */
  away: AwayKeeper | undefined
  program: RoomProgram | undefined
  /** Sockets in it, listening or not. */
  members: number
  /** It is no more: nobody enters it. */
  forgotten: boolean
  /** Another config is being taken over. */
  changing: boolean
}

export class Rooms {
  readonly #stored: Pick<StoredRooms, 'find' | 'list'>
  readonly #graph: Graph
  readonly #turn: Turn
  readonly #histories: RoomHistories
  readonly #retained: RetainedRooms
  readonly #sessionBytes: number
  readonly #lingering: Lingering
  readonly #programs: RoomPrograms | undefined
  readonly #away: AwayKeepers | undefined
  readonly #flows: FlowReader
  /** By every name of it, see `namesOf`. */
  readonly #loaded = new Map<string, Room>()
  readonly #byRoute = new Map<number, Room>()
  readonly #byId = new Map<string, Room>()
  /** By the name asked for, and by id once that is known. */
  readonly #loading = new Map<string, Promise<Room | undefined>>()
  #routes = 0

  constructor(parts: {
    stored: Pick<StoredRooms, 'find' | 'list'>
    graph: Graph
    turn: Turn
    histories: RoomHistories
    retained: RetainedRooms
    /** Session history of one room, in bytes. */
    sessionBytes: number
    lingering: Lingering
    /** Undefined: a room that asks for a program has none. */
    programs?: RoomPrograms | undefined
    /** Undefined: nobody is away. */
    away?: AwayKeepers | undefined
    flows: FlowReader
  }) {
    this.#stored = parts.stored
    this.#graph = parts.graph
    this.#turn = parts.turn
    this.#histories = parts.histories
    this.#retained = parts.retained
    this.#sessionBytes = parts.sessionBytes
    this.#lingering = parts.lingering
    this.#programs = parts.programs
    this.#away = parts.away
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
  list(account: string): Promise<ListedRoom[]> {
    return this.#stored.list(account)
  }

  /** The loaded room behind a place. */
  at({ route }: Place): Room {
    return this.#byRoute.get(route) as Room
  }

  get count(): number {
    return this.#byRoute.size
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

  /**
   * Takes a changed config over, without dropping anybody (R19). Where positions are of another
   * epoch then, it waits for `renumbered` to tell so before it lets any message go on. Rejects as
   * readConfig throws, or with StoreError.
   */
  async configure(
    room: Room,
    record: RoomRecord,
    renumbered: () => Promise<void> = async () => {},
  ): Promise<void> {
    const config = readConfig(record.config, this.#flows)
    const { place } = room
    room.changing = true
    try {
      // What the store has to be asked for comes first: if it is away, nothing has changed.
      const retained = await this.#retained.open(record.id, place, config, room.retained)
      if (config.history.keep !== room.history.kind) {
        await this.#changeHistory(room, record, config, renumbered)
        if (retained !== room.retained) retained?.renumbered()
      }
      room.config = config
      room.record = record
      room.retained = retained
      place.config = config
      this.#histories.bound(room)
      this.#keep(room)
    } finally {
      room.changing = false
      this.#pass(room)
      this.release(room)
    }
  }

  /**
   * What was stored stays, and a durable history goes on in its own epoch; others begin a new one.
   * Nothing that waits to be stored is overtaken.
   */
  async #changeHistory(
    room: Room,
    { id }: RoomRecord,
    config: RoomConfig,
    renumbered: () => Promise<void>,
  ): Promise<void> {
    const { place } = room
    const head = await this.#histories.claim(id, config)
    const hold = this.#histories.hold()
    place.intake = hold
    const passed = this.#histories.hold()
    room.program?.passTo(passed)
    await new Promise<void>((resolve) => room.history.whenIdle(resolve))
    room.history.end()
    // What has positions of the old epoch goes before the new one is told.
    place.flush()
    place.epoch = head?.epoch ?? this.#histories.newEpoch()
    place.sequence = head?.last ?? 0
    room.history = this.#histories.open(id, place, config, head)
    room.retained?.renumbered()
    room.sessionHistory?.renumbered()
    await renumbered()
    room.config = config
    this.#keep(room)
    passed.release(intakeOf(room) ?? straight)
    hold.release(place.intake ?? straight)
  }

  /** What becomes of its messages is settled by its config and its history. */
  #keep(room: Room): void {
    const { place, history, config } = room
    place.stores = history.kind === 'durable'
    this.#keepSessions(room, config)
    room.away?.configured()
    room.program = programOf(room, this.#programs)
    place.intake = room.program ?? intakeOf(room)
    this.#setKeeper(room)
    this.#histories.watch(room)
  }

  /** Somebody is away, or nobody any more. */
  #awayChanged(room: Room): void {
    this.#setKeeper(room)
    // Else what is held would be overtaken; it is seen to at the end of the change.
    if (!room.changing) this.#pass(room)
  }

  #pass(room: Room): void {
    const next = intakeOf(room)
    room.program?.passTo(next ?? straight)
    room.place.intake = room.program ?? next
  }

  #setKeeper(room: Room): void {
    const { place, history } = room
    const keeper = keeperOf(room)
    // What was sent while nobody kept anything is not in the window.
    if (keeper && !place.keeper) history.window.restart(place.sequence)
    place.keeper = keeper
  }

  #keepSessions(room: Room, { sessionHistory }: RoomConfig): void {
    if (!sessionHistory) {
      room.sessionHistory?.end()
      room.sessionHistory = undefined
    } else if (room.sessionHistory) room.sessionHistory.configure(sessionHistory)
    else room.sessionHistory = new SessionHistory(sessionHistory, this.#sessionBytes)
  }

  async #load(account: string, name: string): Promise<Room | undefined> {
    const record = await this.#stored.find(account, name)
    if (!record) return undefined
    const names = namesOf(record)
    // Meanwhile it may have been loaded by another of its names.
    const loaded = this.#loaded.get(names[0] as string)
    if (loaded) return loaded
    let loading = this.#loading.get(record.id)
    if (!loading) {
      loading = this.#loadRecord(record, names).finally(() => this.#loading.delete(record.id))
      this.#loading.set(record.id, loading)
    }
    return loading
  }

  async #loadRecord(record: RoomRecord, names: readonly string[]): Promise<Room> {
    const config = readConfig(record.config, this.#flows)
    const slugs = `${record.account.slug}/${record.slug}`
    const head = await this.#histories.claim(record.id, config)
    const position = {
      epoch: head?.epoch ?? this.#histories.newEpoch(),
      sequence: head?.last ?? 0,
    }
    const place = new Place(++this.#routes, slugs, position, config, this.#turn)
    const history = this.#histories.open(record.id, place, config, head)
    const retained = await this.#retained.open(record.id, place, config)
    const room: Room = {
      record,
      config,
      place,
      history,
      sessionHistory: undefined,
      program: undefined,
      retained,
      away: undefined,
      members: 0,
      forgotten: false,
      changing: false,
    }
    room.away = await this.#away?.open(record.id, place, () => this.#awayChanged(room))
    this.#keep(room)
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
    this.#lingering.forget(room)
    if (room.members > 0 || room.changing) return
    const again = () => this.release(room)
    if (room.program?.isBusy) return room.program.whenIdle(again)
    if (room.history.isBusy) return room.history.whenIdle(again)
    if (room.sessionHistory?.isHeld) return room.sessionHistory.whenFree(again)
    if (!this.#lingering.keeps(room, (each) => this.#end(each))) this.#end(room)
  }

  #end(room: Room): void {
    if (room.members > 0 || room.changing) return
    room.program?.end()
    room.program = undefined
    room.away?.close()
    this.#histories.unwatch(room.place)
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
