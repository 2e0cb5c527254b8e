/**
 * Prints every span on stdout: `porthouse run` with traces.sdk = examples/traces/console.ts. Where
 * a collector is to have them, an exporter for OTLP takes the place of the console.
 */
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  NodeTracerProvider,
} from '@opentelemetry/sdk-trace-node'

const provider = new NodeTracerProvider({
  spanProcessors: [new BatchSpanProcessor(new ConsoleSpanExporter())],
})
provider.register()

/** Called when the gateway has ended: what was collected is sent. */
export async function shutdown(): Promise<void> {
  await provider.shutdown()
}
