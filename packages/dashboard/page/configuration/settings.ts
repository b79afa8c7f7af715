import type { ConfigurationView } from '../api/list-views.ts'

/** One option and its value. */
export interface Setting {
  /** `pool.connections` */
  readonly path: string
  /** As it would be written in JSON; short lists in one line. */
  readonly value: string
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Every option with its path; nested objects are taken apart, lists of objects entry by entry. */
export function settingsOf(value: unknown, path = ''): readonly Setting[] {
  const below = (name: string) => (path === '' ? name : `${path}.${name}`)
  if (isPlain(value) && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([name, one]) => settingsOf(one, below(name)))
  if (Array.isArray(value) && value.some((one) => typeof one === 'object' && one !== null))
    return value.flatMap((one, index) => settingsOf(one, `${path}[${index}]`))
  return [{ path, value: written(value) }]
}

/** The answer of `/config` as one object: options of extensions stand beside those of the balancer. */
export function inForce({ options, extensions, backends }: ConfigurationView): Readonly<Record<string, unknown>> {
  return { ...options, ...extensions, backends }
}

/** Those in whose path or value every word is found, whatever its case. */
export function foundSettings(settings: readonly Setting[], search: string): readonly Setting[] {
  const words = search.toLowerCase().split(/\s+/)
  return settings.filter(({ path, value }) => {
    const text = `${path} ${value}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
