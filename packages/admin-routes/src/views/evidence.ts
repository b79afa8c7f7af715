/** What takes more, as JSON, is left out (characters): answers, and what is kept and queued, must be bounded. */
const longest = 65_536

/**
 * What is told of a value that somebody else has given, as JSON; undefined where it is not data, or too long. It never
 * throws: the evidence of a veto may be anything.
 */
export function jsonOf(value: unknown): string | undefined {
  // Each is `{}` at least, and a comma.
  if (Array.isArray(value) && value.length > longest / 3 && typeof value[0] === 'object') return undefined
  try {
    const json = JSON.stringify(value) as string | undefined
    return json === undefined || json.length > longest ? undefined : json
  } catch {
    return undefined
  }
}

/** A veto, or what is shown of one, with its evidence as it is told; without it, where it cannot be. */
export function toldVeto<Of extends { readonly evidence?: unknown }>({ evidence, ...rest }: Of) {
  const json = jsonOf(evidence)
  return { ...rest, ...(json !== undefined && { evidence: JSON.parse(json) as unknown }) }
}
