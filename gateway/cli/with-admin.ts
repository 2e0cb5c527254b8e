/**
 * Commands that administer: by the API of a gateway, or where none runs by the same services in
 * this process, over the store.
 */
import type { DescService } from '@bufbuild/protobuf'
import type { Client } from '@connectrpc/connect'
import { type ReachOptions, reachOf } from './reach/reach.ts'

/** What each of these commands takes. */
export interface AdminOptions extends ReachOptions {
  readonly json?: boolean
}

/** Gives the client of a service. */
export type Admin = <Service extends DescService>(service: Service) => Client<Service>

/** Resolves with what `use` does. Rejects with a Failure where a call fails. */
export async function withAdmin<T>(
  options: AdminOptions,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const reach = await reachOf(options)
  // Loaded here, for a wrong command line is told without any of it.
  const { throughApi, throughStore } = await import('./reach/through.ts')
  return reach ? throughApi(reach, use) : throughStore(options, use)
}

/** As large as a page may be. */
const PAGE_MAX = 1_000

/** The first items of a list, page by page; without `max` all of them. */
export async function everyOf<Page extends { readonly nextPageToken: string }, Item>(
  list: (page: { pageSize: number; pageToken: string }) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
  max = Number.POSITIVE_INFINITY,
): Promise<Item[]> {
  const items: Item[] = []
  let pageToken = ''
  do {
    const pageSize = Math.min(PAGE_MAX, max - items.length)
    const page = await list({ pageSize, pageToken })
    items.push(...itemsOf(page))
    pageToken = page.nextPageToken
  } while (pageToken !== '' && items.length < max)
  return items
}

/** Reads and changes by an etag, anew where somebody else changed it in between. */
export async function unlessStale<T>(change: () => Promise<T>): Promise<T> {
  const { again } = await import('./reach/again.ts')
  return again(change)
}
