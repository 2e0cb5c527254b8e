/** The gateway that runs: its version, its clock, and what it warns of itself. */
import { timestampDate } from '@bufbuild/protobuf/wkt'
import { ServerService } from '@porthouse/proto/admin/v1/server_service'
import { type AdminOptions, withAdmin } from '../with-admin.ts'
import { checkSkew } from './clock.ts'
import { bad, doubtful, type Finding, good, reasonOf } from './finding.ts'
import { checkAnswers } from './ports.ts'

/** `version`: of this command. `isHere`: on this machine, so that its listeners can be tried. */
export async function checkGateway(
  options: AdminOptions,
  version: string,
  isHere = false,
): Promise<Finding[]> {
  try {
    return await withAdmin(options, async (admin) => {
      const server = await admin(ServerService).getServer({})
      return [
        server.draining
          ? doubtful('gateway', 'it goes down', 'start it again once it has')
          : good('gateway', `it runs, with ${server.features.join(', ')}`),
        server.version === version
          ? good('version', version)
          : doubtful(
              'version',
              `${server.version}, and this command ${version}`,
              'update the older',
            ),
        ...(server.time ? [checkSkew('clock', timestampDate(server.time), Date.now())] : []),
        ...(await Promise.all(
          (isHere ? server.listeners : []).map((each) => checkAnswers(each.name, each)),
        )),
        ...server.warnings.map((warning) => doubtful('warning', warning, 'see docs/config.md')),
      ]
    })
  } catch (error) {
    return [bad('gateway', reasonOf(error), 'see its log')]
  }
}
