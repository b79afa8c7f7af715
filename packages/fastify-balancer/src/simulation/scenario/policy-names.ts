import { changed } from '../../configuration/schema/applied.ts'
import { policies as known } from '../../plugin/policies.ts'
import type { ChosenPolicy } from './simulated-options.ts'

/** The name of a policy. */
export function nameOf(policy: ChosenPolicy): string {
  return typeof policy === 'string' ? policy : policy.name
}

/** Its settings as text, without secrets; `''` for none, and for a policy that is code. */
function settingsOf(policy: ChosenPolicy): string {
  if (typeof policy === 'string' || typeof (policy as { over?: unknown }).over === 'function') return ''
  const { name, ...settings } = policy
  const schema = known[name]?.settings
  const shown =
    schema === undefined
      ? settings
      : changed(settings, schema, (value, schemas) =>
          schemas.some(({ writeOnly }) => writeOnly === true) ? '…' : value,
        )
  const text = JSON.stringify(shown)
  return text === '{}' ? '' : ` ${text}`
}

const isShared = (name: string, all: readonly string[]) => all.indexOf(name) !== all.lastIndexOf(name)

/** Policies by their names; where several have one name, with their settings; where these are the same, with a number. */
export function namesOf(policies: readonly ChosenPolicy[]): readonly string[] {
  const names = policies.map(nameOf)
  const withSettings = names.map((name, index) => (isShared(name, names) ? name + settingsOf(policies[index]!) : name))
  return withSettings.map((name, index) =>
    isShared(name, withSettings) ? `${name} (${countOf(name, withSettings.slice(0, index + 1))})` : name,
  )
}

const countOf = (name: string, names: readonly string[]) => names.filter((one) => one === name).length
