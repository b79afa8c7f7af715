import type { TSchema } from '@sinclair/typebox'

/** An option that can be switched off. */
export interface Switchable {
  /** What `false` stands for. */
  readonly off: unknown
}

/**
 * An option for which `false` may be given: it is read as `off`. Where the option is an object, or one of its forms is,
 * `true` may be given too: all of its defaults.
 */
export function canBeOff<Schema extends TSchema>(schema: Schema, off: unknown): Schema & Switchable {
  return { ...schema, off }
}

/** Can this option be switched off? */
export function isSwitchable(schema: TSchema): schema is TSchema & Switchable {
  return Object.hasOwn(schema, 'off')
}

/** Is it an object, or may it be one? Then `true` stands for all defaults of that. */
export function hasParts({ type, anyOf }: TSchema): boolean {
  return type === 'object' || (Array.isArray(anyOf) && (anyOf as TSchema[]).some(hasParts))
}

function opened(schema: TSchema, given: unknown): unknown {
  if (!isSwitchable(schema)) return given
  if (given === false) return structuredClone(schema.off)
  return given === true && hasParts(schema) ? {} : given
}

/** The same, with what `true` and `false` stand for in their place, at any depth. What is given stays as it is. */
export function switched(schema: TSchema, given: unknown): unknown {
  const value = opened(schema, given)
  const { properties } = schema as { readonly properties?: Readonly<Record<string, TSchema>> }
  if (properties === undefined || value === null || typeof value !== 'object' || Array.isArray(value)) return value
  const parts = value as Readonly<Record<string, unknown>>
  const changed = Object.entries(properties)
    .filter(([name]) => Object.hasOwn(parts, name))
    .map(([name, part]) => [name, switched(part, parts[name])] as const)
    .filter(([name, part]) => part !== parts[name])
  return changed.length === 0 ? value : { ...parts, ...Object.fromEntries(changed) }
}
