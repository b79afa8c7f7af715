import type { BalancerOptions as CoreOptions } from '@fastify-balancer/balancer-core'
import { policies } from '@fastify-balancer/policies'
import { faultsOf, withDefaults } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { StickyOptions as Options } from './sticky-option.generated.ts'

const { settings, faults } = policies.sticky

/** The settings of the policy of that name, but for the policy within: that is the balancer's own. */
export const StickyOptions = Type.Omit(settings, ['policy'])
/** The settings of the policy of that name, but for the policy within. */
export type StickyOptions = Options

/** What is wrong with the option, one line each; `policy` is the balancer's own. */
export function faultsOfSticky(sticky: StickyOptions, policy: CoreOptions['policy']): readonly string[] {
  const parsed = withDefaults(StickyOptions, sticky)
  const wrong = faultsOf(StickyOptions, parsed)
  const isTwice = policy === 'sticky' || (typeof policy === 'object' && policy?.name === 'sticky')
  return [
    ...(wrong.length > 0 ? wrong : (faults?.({ ...parsed, policy: 'round-robin' }) ?? [])),
    ...(isTwice ? ['the `policy` is sticky already: leave one of them out'] : []),
  ]
}

/** The core's options, with a policy that keeps clients where they are and leaves the others to the one that was given. */
export function withSticky(core: CoreOptions, sticky: StickyOptions | false): CoreOptions {
  if (sticky === false) return core
  const { policy = 'round-robin' } = core
  return { ...core, policy: { name: 'sticky', ...sticky, policy } }
}
