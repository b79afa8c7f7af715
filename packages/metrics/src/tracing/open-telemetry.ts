import { NoOpenTelemetryError } from '../errors.ts'

/** The API of OpenTelemetry. An app that traces nothing needs not have it, so only its types may be imported as usual. */
export type OpenTelemetry = typeof import('@opentelemetry/api')

/** Loads it. @throws NoOpenTelemetryError when it is not installed */
export async function loadOpenTelemetry(): Promise<OpenTelemetry> {
  try {
    return await import('@opentelemetry/api')
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new NoOpenTelemetryError({ cause: error })
  }
}
