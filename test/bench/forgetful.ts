/** A leak, loaded into a gateway: every session is kept, with what a program might hang on it. */
const kept: object[] = []
const { add } = Set.prototype
const NUMBERS = 8_192

Set.prototype.add = function (value: unknown) {
  if (value?.constructor?.name === 'Session') kept.push({ value, numbers: numbers() })
  return add.call(this, value)
}

function numbers(): number[] {
  return new Array(NUMBERS).fill(0.5)
}
