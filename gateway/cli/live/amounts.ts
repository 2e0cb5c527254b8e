/** Amounts as people read them, in a few characters. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function inBytes(bytes: number): string {
  let amount = bytes
  let unit = 0
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024
    unit++
  }
  return `${unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[unit]}`
}

export function perSecond(rate: number): string {
  return rate >= 100 ? Math.round(rate).toString() : rate.toFixed(1)
}
