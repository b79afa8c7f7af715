/** Longer values (characters of JSON) are left out, to bound responses and queued events. */
const longest = 65_536

/**
 * A value as JSON; undefined if it is not JSON or too long. Never throws: the evidence of a veto may be any value.
 */
export function jsonOf(value: unknown): string | undefined {
  // Each entry takes at least `{}` and a comma.
  if (Array.isArray(value) && value.length > longest / 3 && typeof value[0] === 'object') return undefined
  try {
    const json = JSON.stringify(value) as string | undefined
    return json === undefined || json.length > longest ? undefined : json
  } catch {
    return undefined
  }
}

/** A veto with its evidence as JSON; without it if that is not possible. */
export function toldVeto<Of extends { readonly evidence?: unknown }>({ evidence, ...rest }: Of) {
  const json = jsonOf(evidence)
  return { ...rest, ...(json !== undefined && { evidence: JSON.parse(json) as unknown }) }
}
