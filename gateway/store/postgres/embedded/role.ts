/** Whom the embedded server knows. Its socket's folder is the guard, not a password. */

/** What initdb makes: it may do everything, and is used for nothing but to make the other. */
export const SUPERUSER = 'porthouse'

/** Whom gateways and commands connect as: it owns the tables, and may do nothing beside. */
export const ROLE = 'gateway'

/** The one that every server has from the beginning. */
export const DATABASE = 'postgres'
