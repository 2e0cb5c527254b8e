/** Whether a decimal number is a multiple of another: 0.0075 is one of 0.0001. */
export function isMultiple(value: number, divisor: number): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0
  const [dividend, dividendExponent] = decimal(value)
  const [unit, unitExponent] = decimal(divisor)
  const exponent = Math.min(dividendExponent, unitExponent)
  const scaled = (digits: bigint, own: number) => digits * 10n ** BigInt(own - exponent)
  return scaled(dividend, dividendExponent) % scaled(unit, unitExponent) === 0n
}

/** A number as digits and a power of ten, as few digits as tell it from its neighbours. */
function decimal(value: number): [digits: bigint, exponent: number] {
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return [BigInt(whole + fraction), Number(exponent) - fraction.length]
}
