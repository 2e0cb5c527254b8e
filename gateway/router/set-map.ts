/** Sets by key. A key is there for as long as its set has a member. */
export class SetMap<Key, Member> {
  static readonly #none: ReadonlySet<never> = new Set()
  readonly #sets = new Map<Key, Set<Member>>()

  get keys(): Iterable<Key> {
    return this.#sets.keys()
  }

  /** In the order in which they were added. */
  of(key: Key): ReadonlySet<Member> {
    return this.#sets.get(key) ?? SetMap.#none
  }

  add(key: Key, member: Member): void {
    const set = this.#sets.get(key)
    if (set) set.add(member)
    else this.#sets.set(key, new Set([member]))
  }

  delete(key: Key, member: Member): void {
    const set = this.#sets.get(key)
    set?.delete(member)
    if (set?.size === 0) this.#sets.delete(key)
  }
}
