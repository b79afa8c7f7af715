import type { AgreedList, Balancer } from '@fastify-balancer/balancer-core'
import { createHash } from 'node:crypto'

type Listed = AgreedList['backends'][number]

/** Of backends in a list, which are never written to. */
const texts = new WeakMap<Listed, string>()

function textOf(one: Listed): string {
  const { tls: _tls, ...shown } = one
  return JSON.stringify(shown)
}

/** A backend of a balancer's list as all may see it: keys and certificates stay in each instance. */
function keptTextOf(one: Listed): string {
  let text = texts.get(one)
  if (text === undefined) texts.set(one, (text = textOf(one)))
  return text
}

/** A list as all may see it, as it comes back from the store: each instance knows the keys by its own configuration. */
export function shareable(listed: AgreedList['backends']): AgreedList['backends'] {
  return JSON.parse(`[${listed.map(keptTextOf).join()}]`) as AgreedList['backends']
}

/** A list that has come from the store, with what a balancer has just like that: it need not be read and checked again. */
export function recognised<List extends AgreedList>(list: List, { listed }: Pick<Balancer, 'listed'>): List {
  const known = new Map(listed.map((one) => [one.id, one]))
  const backends = list.backends.map((one) => {
    const own = one.id === undefined ? undefined : known.get(one.id)
    return own !== undefined && keptTextOf(own) === textOf(one) ? own : one
  })
  return { ...list, backends }
}

/** Two values with the same digest are the same. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12)
}

/** Two lists with the same digest are the same, but for their keys. */
export function digestOfList(listed: AgreedList['backends']): string {
  const hash = createHash('sha256')
  for (const one of listed) hash.update(keptTextOf(one))
  return hash.digest('hex').slice(0, 12)
}
