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
    // Most sets have one member, and one that is made of a list takes twice the memory.
    const set = this.#sets.get(key) ?? new Set()
    if (set.size === 0) this.#sets.set(key, set)
    set.add(member)
  }

  delete(key: Key, member: Member): void {
    const set = this.#sets.get(key)
    set?.delete(member)
    if (set?.size === 0) this.#sets.delete(key)
  }
}
