/** A call that is refused for what one of its fields holds. */
export { invalid, type Violation, Violations } from '../protocol/violations.ts'
