/** The numbered normative statements of MQTT, and what the tests here say of each. */

/** Whom a statement binds. */
export type Bound = 'server' | 'client' | 'both'

/** One that never binds here, and why; with the code that says so to a client, where one does. */
export interface Moot {
  readonly moot: string
}

/** Its number without brackets, whom it binds, and what it demands, in our words. */
export type Statement = readonly [id: string, on: Bound, demands: string, moot?: Moot]

/** Sections as [first part of the number, how many statements, first of them]: none is left out. */
export type Section = readonly [section: string, last: number, first?: number]
