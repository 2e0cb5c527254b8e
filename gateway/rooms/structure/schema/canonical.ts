/** JSON values that are equal have one canonical text: 1 and 1.0, names in any order. */
import type { Budget } from '../budget.ts'
import { isObject } from '../json-text.ts'

export function canonical(value: unknown, budget: Pick<Budget, 'spend'>): string {
  budget.spend(1 + (typeof value === 'string' ? value.length / 8 : 0))
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, budget)).join()}]`
  if (!isObject(value)) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  const members = names.map((name) => `${JSON.stringify(name)}:${canonical(value[name], budget)}`)
  return `{${members.join()}}`
}
