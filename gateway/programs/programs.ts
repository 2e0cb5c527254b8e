/** The programs of a gateway's rooms: a process for each account that has any (R25). */
import { type FSWatcher, watch } from 'node:fs'
import type { Log } from '../observe/log.ts'
import type { Limits } from '../protocol/limits.ts'
import type { Uuid7Source } from '../protocol/uuid7.ts'
import type {
  ProgramActions,
  ProgramFigures,
  ProgrammedRoom,
  RoomProgram,
  RoomPrograms,
} from '../rooms/program.ts'
import type { Intake } from '../router/intake.ts'
import { AccountPrograms, type ProgramOptions } from './account-programs.ts'
import { Deeds } from './deeds.ts'
import { RoomProgramQueue } from './room-program.ts'

export interface ProgramsParts {
  readonly options: ProgramOptions & { readonly watch: boolean }
  readonly limits: Limits
  readonly ids: Uuid7Source
  readonly actions: ProgramActions
  readonly uptime: () => number
  readonly log: Log
}

/** An editor writes a file more than once; in milliseconds. */
const CALM_MS = 100

export class Programs implements RoomPrograms {
  readonly #parts: ProgramsParts
  /** By the account's UUID. */
  readonly #accounts = new Map<string, AccountPrograms>()
  readonly #watcher: FSWatcher | undefined
  #calm: NodeJS.Timeout | undefined
  #rooms = 0
  #failures = 0

  /** Throws where the folder is to be watched and is not there. */
  constructor(parts: ProgramsParts) {
    this.#parts = parts
    const { folder, watch: watches } = parts.options
    if (!watches || folder === undefined) return
    this.#watcher = watch(folder, { recursive: true, persistent: false }, () => this.#changed())
    this.#watcher.on('error', (err) => parts.log.warn({ err }, 'programs are not watched any more'))
  }

  attach(room: ProgrammedRoom, next: Intake): RoomProgram {
    const { options, actions, uptime, ids, limits } = this.#parts
    const programs = this.#of(room)
    return new RoomProgramQueue({
      ...room,
      number: ++this.#rooms,
      next,
      programs,
      actions,
      options,
      uptime,
      deedsOf: (members, to) =>
        new Deeds({ place: room.place, members, next: to, actions, ids, limits }),
    })
  }

  get figures(): ProgramFigures {
    const all = [...this.#accounts.values()]
    const sum = (of: (programs: AccountPrograms) => number) =>
      all.reduce((total, each) => total + of(each), 0)
    return {
      processes: sum(({ isRunning }) => (isRunning ? 1 : 0)),
      messages: sum(({ allowance }) => allowance.messages),
      bytes: sum(({ allowance }) => allowance.bytes),
      failures: this.#failures,
    }
  }

  stop(): void {
    clearTimeout(this.#calm)
    this.#watcher?.close()
    for (const programs of [...this.#accounts.values()]) programs.end()
  }

  #of({ account }: ProgrammedRoom): AccountPrograms {
    const known = this.#accounts.get(account.id)
    if (known) return known
    const { options, limits, log, uptime, actions } = this.#parts
    const unused = () => this.#accounts.delete(account.id)
    const failed = () => this.#failures++
    const parts = { account, options, log, uptime, actions, unused, failed }
    const programs = new AccountPrograms({ ...parts, payloadBytes: limits.payloadBytes })
    this.#accounts.set(account.id, programs)
    return programs
  }

  #changed(): void {
    clearTimeout(this.#calm)
    const renew = () => {
      for (const programs of this.#accounts.values()) programs.renew()
    }
    this.#calm = setTimeout(renew, CALM_MS).unref()
  }
}
