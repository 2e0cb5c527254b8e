import type { WebSocketConstructor } from './websocket.ts'

export const PlatformWebSocket = globalThis.WebSocket as WebSocketConstructor
