// Room `check`: `fastify-balancer check FILE`: what is wrong with a file, what is odd, and what it means.
import { faultReport, type ReportStyle } from '../configuration/document/fault-report.ts'
import type { PlacedFault } from '../configuration/document/fault.ts'
import { readConfiguration, type ConfigurationReading, type Environment } from '../configuration/reading.ts'
import { buildServer } from '../server/running-server.ts'
import type { Configuration } from '../configuration/configuration.ts'
import { listing } from './listing.ts'
import { nameWarnings } from './names.ts'

/** Where the check reads variables and writes what it has found. */
export interface CheckSurroundings extends ReportStyle {
  readonly env: Environment
  /** The configuration as in force, as YAML. */
  readonly out: (text: string) => void
  /** Faults, warnings and what came of it. */
  readonly err: (text: string) => void
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** The last line: what came of it. */
function summary(file: string, { faults, warnings }: Pick<ConfigurationReading, 'faults' | 'warnings'>): string {
  const found = [
    ...(faults.length > 0 ? [counted(faults.length, 'fault')] : ['valid']),
    ...(warnings.length > 0 ? [counted(warnings.length, 'warning')] : []),
  ]
  return `${file}: ${found.join(', ')}\n`
}

/** What only shows when all is put together, as at a start; nothing listens, and no backend is asked. */
async function startFaults(configuration: Configuration | undefined): Promise<readonly PlacedFault[]> {
  if (configuration === undefined) return []
  try {
    const server = await buildServer({ ...configuration, log: { form: 'off' } })
    await server.close()
    return []
  } catch (error) {
    return [{ pointer: '', message: `it cannot start: ${(error as Error).message.replaceAll(/\s+/g, ' ')}` }]
  }
}

/**
 * Checks a file and everything that it names, and prints the configuration as it would be in force. Answers the exit code:
 * 0 if it can be used, 1 if not. A name that does not resolve here is a warning, as it may resolve where the file is used.
 */
export async function check(file: string, { env, out, err, ...style }: CheckSurroundings): Promise<0 | 1> {
  const reading = await readConfiguration(file, env)
  const { text, value, origins, configuration } = reading
  const faults = [...reading.faults, ...(await startFaults(configuration)).map(reading.placed)]
  const warnings = [...reading.warnings, ...(await nameWarnings(value)).map(reading.placed)]
  const report = (found: typeof faults) => (found.length > 0 ? err(`${faultReport(found, text, style)}\n`) : undefined)
  report(faults)
  report(warnings.map((warning) => ({ ...warning, place: `warning: ${warning.place}` })))
  if (faults.length === 0) out(listing(value, origins))
  err(summary(file, { faults, warnings }))
  return faults.length === 0 ? 0 : 1
}
