import type { BalancerConfiguration, Configuration } from '../configuration/configuration.ts'

const nameOf = (backend: string | { readonly id?: string; readonly url: string }) =>
  typeof backend === 'string' ? backend : (backend.id ?? backend.url)

function policyOf({ policy = 'round-robin' }: BalancerConfiguration): string {
  return typeof policy === 'string' ? policy : policy.name
}

/** What is balanced: of one balancer its backends, of several their names. */
function subject(balancers: readonly BalancerConfiguration[]): string {
  const [first, ...others] = balancers
  if (first === undefined) return 'nothing'
  if (others.length > 0)
    return balancers.map(({ name = 'default', backends = [] }) => `${name} (${backends.length})`).join(', ')
  const { backends = [] } = first
  // More would not be read.
  return backends.length > 8 ? `${backends.length} backends` : backends.map(nameOf).join(', ')
}

/** The line that says that a listener is open. */
export function listeningLine({ balancers }: Configuration, address: string): string {
  const by = balancers.length === 1 ? ` by ${policyOf(balancers[0]!)}` : ''
  return `balancing ${subject(balancers)} at ${address}${by}`
}

/** The line that says that the listener of the admin API is open. A Unix socket has no path. */
export function adminLine({ admin }: Configuration, address: string): string {
  const { prefix = '/_balancer' } = admin === false ? {} : admin
  return `admin API at ${address}${address.startsWith('http') ? prefix : ''}`
}

/** How many backends are probed before anything listens. */
function probedFirst({ backends = [], healthCheck = {} }: BalancerConfiguration): number {
  if (healthCheck === false) return 0
  const { type, initial = 'probe' } = healthCheck === true ? {} : healthCheck
  return type !== 'none' && initial === 'probe' ? backends.length : 0
}

/** The line that says what a start waits for; undefined if it does not wait. */
export function probingLine({ balancers }: Configuration): string | undefined {
  const count = balancers.reduce((sum, balancer) => sum + probedFirst(balancer), 0)
  return count === 0 ? undefined : `probing ${count} backend${count === 1 ? '' : 's'} before listening`
}
