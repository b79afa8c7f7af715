import { policies } from '@fastify-balancer/policies'
import type { GeneratedType } from './generated-type.ts'
import type { OptionSchema } from './interface-text.ts'

/** `peak-ewma` → `PeakEwmaSettings` */
const settingsName = (name: string) =>
  `${name.replaceAll(/(?:^|-)(\w)/g, (_match, first: string) => first.toUpperCase())}Settings`

/** The types of settings that are written elsewhere, and where. */
const settingTypes: Readonly<Record<string, readonly [type: string, from: string]>> = {
  policy: ['PolicyOption', '@fastify-balancer/balancer-core'],
  key: ['KeyOption', './keys/key-option.ts'],
}

function partsOf(settings: readonly string[]): Pick<GeneratedType, 'parts' | 'imports'> {
  const known = settings.filter((name) => Object.hasOwn(settingTypes, name))
  return {
    parts: Object.fromEntries(known.map((name) => [name, settingTypes[name]![0]])),
    imports: Object.fromEntries(known.map((name) => settingTypes[name]!)),
  }
}

/** The settings of each policy. */
export const policyTypes: readonly GeneratedType[] = Object.entries(policies).map(([name, { settings }]) => ({
  name: settingsName(name),
  schema: settings as OptionSchema,
  source: 'policies/src/policies.ts',
  description: `What may stand beside \`name: '${name}'\`: everything that has a default is optional.`,
  ...partsOf(Object.keys(settings.properties)),
}))

/** By declaration merging, options can name policies that the core does not know. */
export const policyNames = [
  "declare module '@fastify-balancer/balancer-core' {",
  '  interface PolicySettings {',
  ...Object.keys(policies).map((name) => `    ${/^\w+$/.test(name) ? name : `'${name}'`}: ${settingsName(name)}`),
  '  }',
  '}',
  '',
].join('\n')
