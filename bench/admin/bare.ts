/**
 * A bare service of connect-node with the same methods: no credentials, no checks, no audit. It
 * tells what porthouse has told once; but for GetAccount, which asks the store as porthouse does.
 *
 *   node bench/admin/bare.ts DATA-FOLDER ANSWERS.json
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fromJsonString } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { AccountService } from '@porthouse/proto/admin/v1/account_service'
import { ServerSchema, ServerService } from '@porthouse/proto/admin/v1/server_service'
import { StatsSchema, StatsService } from '@porthouse/proto/admin/v1/stats_service'
import { openLog } from '../../gateway/observe/log.ts'
import { openStore } from '../../gateway/store/postgres/open.ts'

const { log } = openLog('silent')
const [, , dataDir = '', answers = ''] = process.argv
const told: readonly string[] = JSON.parse(readFileSync(answers, 'utf8'))
const server = fromJsonString(ServerSchema, told[0]!)
const stats = fromJsonString(StatsSchema, told[1]!)
const store = await openStore({ dataDir, log, embedded: {} })

const http = createServer(
  connectNodeAdapter({
    routes(router) {
      router.service(ServerService, { getServer: () => server })
      router.service(StatsService, { getStats: () => stats })
      router.service(AccountService, {
        async getAccount({ name }) {
          const found = await store.accounts.find(name.slice('accounts/'.length))
          if (!found) throw new Error('no such account')
          const { id: uid, slug, createdAt } = found
          return { name: `accounts/${slug}`, uid, createTime: timestampFromDate(createdAt) }
        },
      })
    },
  }),
)
http.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (http.address() as AddressInfo).port }))
})
process.once('SIGTERM', async () => {
  http.closeAllConnections()
  http.close()
  await store.close()
})
