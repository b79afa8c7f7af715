import { within, type PlacedFault } from './fault.ts'

/** A document whose variables have been put in. */
export interface Substituted {
  readonly value: unknown
  readonly faults: readonly PlacedFault[]
  /** The variables of each text that has some, by JSON pointer. */
  readonly variables: ReadonlyMap<string, VariableUse>
}

/** Which variables a text has. */
export interface VariableUse {
  readonly names: readonly string[]
  /** The text is one variable and nothing else: it may mean a number or a boolean. */
  readonly whole: boolean
}

const variable = /\$(\$\{)|\$\{([A-Za-z_]\w*)(?::-([^{}]*))?\}|\$\{/g
const wholeVariable = /^\$\{[A-Za-z_]\w*(?::-[^{}]*)?\}$/

interface Text {
  readonly text: string
  readonly names: readonly string[]
  readonly faults: readonly string[]
}

/** One text with its variables put in; what a variable holds is not looked at again. */
export function substituteText(text: string, env: Readonly<Record<string, string | undefined>>): Text {
  const names: string[] = []
  const faults: string[] = []
  const substituted = text.replaceAll(variable, (whole, literal?: string, name?: string, byDefault?: string) => {
    if (literal !== undefined) return literal
    if (name === undefined) {
      faults.push('`${` begins a variable: write `${NAME}` or `${NAME:-default}`, or `$${` for the text `${`')
      return whole
    }
    names.push(name)
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value === undefined && byDefault === undefined)
      faults.push(`the variable ${name} is not set: set it, or give a default: \`\${${name}:-default}\``)
    // As a shell does it: the default stands for an empty variable, too.
    return byDefault !== undefined && (value ?? '') === '' ? byDefault : (value ?? '')
  })
  return { text: substituted, names, faults: [...new Set(faults)] }
}

/** Puts the variables of `env` into every text of a document, but not into the names of options. */
export function substitute(value: unknown, env: Readonly<Record<string, string | undefined>>): Substituted {
  const faults: PlacedFault[] = []
  const variables = new Map<string, VariableUse>()
  function read(part: unknown, pointer: string): unknown {
    if (typeof part === 'string') {
      const { text, names, faults: own } = substituteText(part, env)
      faults.push(...own.map((message) => ({ pointer, message })))
      if (names.length > 0) variables.set(pointer, { names, whole: wholeVariable.test(part) })
      return text
    }
    if (Array.isArray(part)) return part.map((item, index) => read(item, within(pointer, index)))
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, read(member, within(pointer, name))]))
  }
  return { value: read(value, ''), faults, variables }
}

/** What a text of the file has become may be all that is wrong with it. */
export function withVariable(fault: PlacedFault, variables: ReadonlyMap<string, VariableUse>): PlacedFault {
  const names = variables.get(fault.pointer)?.names ?? []
  const [name] = names
  if (name === undefined || names.some((one) => fault.message.includes(`variable ${one}`))) return fault
  return { ...fault, message: `${fault.message}; it comes from the variable ${names.join(' or ')}, or its default` }
}
