/** Suites that Aedes' parts export for those who implement them; they have no types. */
declare module 'mqemitter/abstractTest.js' {
  export default function abstractTests(options: {
    builder: (options?: never) => unknown
    test: unknown
  }): void
}

declare module 'aedes-persistence/abstract.js' {
  export default function abstractPersistence(options: {
    test: unknown
    persistence: () => Promise<unknown>
    testAsync: boolean
  }): void
}
