/** The package has no types of its own. */
declare module 'bcrypt-pbkdf' {
  /** Fills `out`, in place; 0: done. */
  function pbkdf(
    pass: Uint8Array,
    passLength: number,
    salt: Uint8Array,
    saltLength: number,
    out: Uint8Array,
    outLength: number,
    rounds: number,
  ): number
  const bcrypt: { pbkdf: typeof pbkdf }
  export default bcrypt
}
