import { renderAsyncApi } from './api/asyncapi.ts'
import { renderOpenApi } from './api/openapi.ts'
import { renderReference } from './api/reference.ts'
import { renderBlocks } from './blocks.ts'
import { renderCodeHeader, renderCodeSource } from './c-codes.ts'
import { renderClientReadmes } from './client-readmes.ts'
import { renderCodes } from './codes.ts'
import { renderConfig } from './config.ts'
import { renderDashboard } from './dashboard.ts'
import { renderGoCodes } from './go-codes.ts'
import { renderImports } from './imports.ts'
import { renderMetrics } from './metrics.ts'
import { renderNormative } from './normative.ts'
import { readProtos } from './proto-comments.ts'

/** Files rendered from tables in the code: path from the root, and the text that belongs there. */
export function rendered(): Record<string, string> {
  const protos = readProtos()
  return {
    ...renderReference(protos),
    ...renderClientReadmes(),
    'docs/api/openapi.json': renderOpenApi(protos),
    'docs/api/asyncapi.json': renderAsyncApi(protos),
    'docs/rooms/blocks.md': renderBlocks(),
    'docs/codes.md': renderCodes(),
    'clients/go/codes.go': renderGoCodes(),
    'docs/config.md': renderConfig(),
    'deploy/grafana/porthouse.json': renderDashboard(),
    'docs/metrics.md': renderMetrics(),
    'docs/mqtt/normative.md': renderNormative(),
    'clients/c/include/porthouse/code.h': renderCodeHeader(),
    'clients/c/src/code.c': renderCodeSource(),
    'biome.imports.json': renderImports(),
  }
}
