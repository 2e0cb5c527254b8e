/** What one leg has shown. */
export interface Figures {
  /** Acknowledgements, or rows, a second. */
  readonly rate: number
  /** Of an acknowledgement, or of a batch, in milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Of the server, or of a bare insert's client; microseconds a message. */
  readonly serverCpu: number
  /** Of the database under it; microseconds a message. */
  readonly storeCpu: number
  /** Share of its core that the generator used. */
  readonly generatorLoad: number
  /** How long after it was sent a message was stored, while others had no need to be; in ms. */
  readonly storedP99?: number
}
