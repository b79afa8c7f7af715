import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { readDocument } from '../../configuration/document/document.ts'
import { within, type Fault, type PlacedFault } from '../../configuration/document/fault.ts'
import { reasonOf } from '../../configuration/loading.ts'
import { resolveReferences } from '../../configuration/references.ts'
import { schemaFaults } from '../../configuration/schema/schema-faults.ts'
import { furtherFaults, scenarioOf, withScenarioDefaults, type Scenario } from '../scenario/scenario.ts'
import { ScenarioFile } from './scenario-file-schema.ts'

/** What was made of a file. */
export interface ScenarioReading {
  /** Undefined if anything is wrong. */
  readonly scenario?: Scenario
  /** Everything that is wrong, in the order of the file. */
  readonly faults: readonly Fault[]
  /** The text, for excerpts. */
  readonly text: string
}

/** `backends.0.slots` as a pointer. */
function pointerTo(place: string): string {
  return place === '' ? '' : place.split('.').reduce(within, '')
}

/** Reads a scenario in YAML or JSON, as the configuration is read. What is wrong is among the faults. */
export async function readScenarioFile(path: string): Promise<ScenarioReading> {
  let text = ''
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { placed } = readDocument(path, '{}')
    return { faults: [placed({ pointer: '', message: `cannot read the file: ${reasonOf(error)}` })], text }
  }
  const document = readDocument(path, text.trim() === '' ? '{}' : text)
  const told = (faults: readonly PlacedFault[]) => ({
    faults: faults.map(document.placed).toSorted((one, other) => one.line - other.line || one.column - other.column),
    text,
  })
  if (document.syntaxFaults.length > 0) return { faults: document.syntaxFaults, text }
  const first = [...document.faults, ...schemaFaults(ScenarioFile, document.value)]
  if (first.length > 0) return told(first)
  const resolved = await resolveReferences(document.value, ScenarioFile, dirname(resolve(path)), new Set())
  if (resolved.faults.length > 0) return told(resolved.faults)
  const options = withScenarioDefaults(resolved.value)
  const further = furtherFaults(options).map(({ place, message }) => ({ pointer: pointerTo(place), message }))
  return further.length > 0 ? told(further) : { scenario: scenarioOf(options), faults: [], text }
}
