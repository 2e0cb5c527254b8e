/** `npx drizzle-kit generate --name WHAT` writes the SQL that a changed schema needs. */
import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: './gateway/store/postgres/schema.ts',
  out: './gateway/store/postgres/migrations',
})
