/** The gateway that is measured: bin/porthouse with its defaults, and a way to look inside. */
import { readFileSync } from 'node:fs'
import { House, type HouseOptions } from '../crash/load/house.ts'
import { Inspector } from './inspector.ts'

const DEBUGGER = /^Debugger listening on (ws:\S+)$/m

export class MeasuredGateway {
  readonly house: House
  readonly inspector: Inspector

  static async start(options: HouseOptions): Promise<MeasuredGateway> {
    const env = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' }
    const house = await House.build({ log: 'info', ...options, env })
    try {
      await house.start()
      house.signal('SIGUSR1')
      await house.logs('Debugger listening on')
      const url = DEBUGGER.exec(house.log)![1]!
      return new MeasuredGateway(house, await Inspector.open(url))
    } catch (error) {
      await house.close()
      throw error
    }
  }

  private constructor(house: House, inspector: Inspector) {
    this.house = house
    this.inspector = inspector
  }

  get pid(): number {
    return this.house.pid
  }

  get port(): number {
    return Number(new URL(this.house.url).port)
  }

  get mqttPort(): number {
    return this.house.mqttPort
  }

  get token(): string {
    return this.house.token
  }

  /**
   * It stands still while its input is put before it, so that it finds all of it in one turn: how
   * many turns a load takes is otherwise a matter of who is faster.
   */
  still(put: () => void): void {
    this.house.signal('SIGSTOP')
    // T, or t where somebody traces it: proc(5).
    while (!/\) [Tt] /.test(readFileSync(`/proc/${this.pid}/stat`, 'latin1')));
    put()
    this.house.signal('SIGCONT')
  }

  async close(): Promise<void> {
    this.inspector.close()
    await this.house.close()
  }
}
