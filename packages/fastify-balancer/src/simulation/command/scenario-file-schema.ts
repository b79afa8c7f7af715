import { Type, type TSchema } from '@sinclair/typebox'
import { BalancerInFile } from '../../configuration/schema/balancer.ts'
import { editorSchema } from '../../configuration/schema/json-schema.ts'
import { objectInFile } from '../../configuration/schema/in-file.ts'
import { SimulationOptions } from '../scenario/scenario-schema.ts'

// It is made of the options of the core, whose names are not part of its type.
const policy = (BalancerInFile.properties as Readonly<Record<string, TSchema>>)['policy']!
const { policies, balancer } = SimulationOptions.properties
const { description = '' } = SimulationOptions.properties.policy

/** A scenario file: what `simulate` takes, but that modules are named in place of code. */
export const ScenarioFile = objectInFile(SimulationOptions, {
  policy: { ...policy, description },
  policies: Type.Array(policy, { minItems: 1, description: policies.description! }),
  balancer,
})

/** The schema of a scenario file, for editors. */
export function scenarioSchema(): object {
  return editorSchema(ScenarioFile, 'Scenario of fastify-balancer simulate')
}
