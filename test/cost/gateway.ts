/** The gateway that is measured: bin/porthouse with its defaults, and a way to look inside. */
import { readFileSync } from 'node:fs'
import { Inspector, inspectable } from '../../bench/heap/inspector.ts'
import { House, type HouseOptions } from '../crash/load/house.ts'

export class MeasuredGateway {
  readonly house: House
  readonly inspector: Inspector

  static async start(options: HouseOptions): Promise<MeasuredGateway> {
    const house = await House.build({ log: 'info', ...options, env: inspectable })
    try {
      await house.start()
      const says = async (pattern: RegExp) => pattern.exec(await house.logs(pattern))![1]!
      return new MeasuredGateway(house, await Inspector.open({ pid: house.pid, says }))
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
