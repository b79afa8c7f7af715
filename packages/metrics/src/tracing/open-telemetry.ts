import { NoOpenTelemetryError } from '../errors.ts'

/** The API of OpenTelemetry. It is optional, so only its types are imported statically. */
export type OpenTelemetry = typeof import('@opentelemetry/api')

/** Loads it. @throws NoOpenTelemetryError if it is not installed */
export async function loadOpenTelemetry(): Promise<OpenTelemetry> {
  try {
    return await import('@opentelemetry/api')
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new NoOpenTelemetryError({ cause: error })
  }
}
