/** `now` in milliseconds since 1970-01-01 UTC. What has no end does not expire. */
export function isExpired({ expiresAt }: { readonly expiresAt?: Date }, now: number): boolean {
  return expiresAt !== undefined && expiresAt.getTime() <= now
}
