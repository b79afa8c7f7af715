import type { Balancer } from '@fastify-balancer/balancer-core'
import { shownOptions } from '@fastify-balancer/option-schema'
import type { Static } from '@sinclair/typebox'
import type { Extensions } from '../extensions.ts'
import type { ConfigurationView } from '../schemas/configuration.ts'
import { beginning, writeList, WrittenView, type Written } from './written-view.ts'

const textOf = (backend: Balancer['listed'][number]) => JSON.stringify(shownOptions(backend))

/** The options of a balancer and of its extensions, as they are in force, without secrets. */
export async function configurationOf(
  { name, options, listed }: Balancer,
  extensions: Extensions,
): Promise<Written<Static<typeof ConfigurationView>>> {
  const { backends: _, policy, ...plain } = options
  const shown = shownOptions(plain) as object
  const own = { name: policy.name, ...policy.shown }
  const parts = { name, options: { ...shown, policy: own }, extensions: extensions.options(name) }
  const text = await writeList(beginning(parts, 'backends'), listed, textOf, ']}')
  return new WrittenView(text) as Written<Static<typeof ConfigurationView>>
}
