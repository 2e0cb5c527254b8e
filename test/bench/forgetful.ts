/** A leak, loaded into a gateway: every session is kept, with what it has itself and no more. */
const kept: object[] = []
const { add } = Set.prototype

Set.prototype.add = function (value: unknown) {
  if (value?.constructor?.name === 'Session') kept.push(value)
  return add.call(this, value)
}
