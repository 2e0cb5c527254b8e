/** The supervisor's process; its one argument is SupervisorOptions as JSON. */
import { Supervisor } from './supervisor.ts'

process.umask(0o077)
await new Supervisor(JSON.parse(process.argv[2]!)).run()
process.exit()
