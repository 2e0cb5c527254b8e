/**
 * What the embedded server is initialised with. Its socket's folder is the guard, not a password.
 */
export const ROLE = 'porthouse'

/** The one that every server has from the beginning. */
export const DATABASE = 'postgres'
