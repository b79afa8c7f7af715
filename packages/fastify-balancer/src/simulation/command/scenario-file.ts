import { dirname, resolve } from 'node:path'
import { readDocument } from '../../configuration/document/document.ts'
import { within, type Fault, type PlacedFault } from '../../configuration/document/fault.ts'
import { textOf } from '../../configuration/document/text-file.ts'
import { substitute, withVariable } from '../../configuration/document/variables.ts'
import { resolveReferences } from '../../configuration/references.ts'
import { schemaFaults } from '../../configuration/schema/schema-faults.ts'
import { withTypedVariables } from '../../configuration/schema/typed-values.ts'
import { furtherFaults, scenarioOf, withScenarioDefaults, type Scenario } from '../scenario/scenario.ts'
import { ScenarioFile } from './scenario-file-schema.ts'
import type { Environment } from '../../configuration/reading.ts'

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
export async function readScenarioFile(path: string, env: Environment = process.env): Promise<ScenarioReading> {
  const read = await textOf(path)
  const text = 'fault' in read ? '' : read.text
  const document = readDocument(path, text.trim() === '' ? '{}' : text)
  if ('fault' in read) return { faults: [document.placed({ pointer: '', message: read.fault })], text }
  if (document.syntaxFaults.length > 0) return { faults: document.syntaxFaults, text }
  const { value, faults, variables } = substitute(document.value, env)
  const told = (found: readonly PlacedFault[]) => ({
    faults: found
      .map((fault) => withVariable(fault, variables))
      .map(document.placed)
      .toSorted((one, other) => one.line - other.line || one.column - other.column),
    text,
  })
  const typed = withTypedVariables(value, ScenarioFile, variables)
  const own = [...document.faults, ...faults]
  const first = own.length > 0 ? own : [...schemaFaults(ScenarioFile, typed)]
  if (first.length > 0) return told(first)
  const resolved = await resolveReferences(typed, ScenarioFile, dirname(resolve(path)), new Set())
  if (resolved.faults.length > 0) return told(resolved.faults)
  const options = withScenarioDefaults(resolved.value)
  const further = furtherFaults(options).map(({ place, message }) => ({ pointer: pointerTo(place), message }))
  return further.length > 0 ? told(further) : { scenario: scenarioOf(options), faults: [], text }
}
