import type { PreviewView, SetView, Settings } from '../api/list-views.ts'
import type { BackendView } from '../api/views.ts'

/** The settings of a backend that a list holds, as people call them. */
const settings: readonly (readonly [keyof Settings, string])[] = [
  ['url', 'URL'],
  ['protocol', 'protocol'],
  ['weight', 'weight'],
  ['priority', 'priority'],
  ['maxInFlight', 'maxInFlight'],
  ['zone', 'zone'],
  ['tags', 'tags'],
]

function text(value: Settings[keyof Settings]): string {
  const written = typeof value === 'object' ? value.join(', ') : String(value ?? '')
  return written === '' ? 'none' : written
}

/** What is different between two lists of backends. */
export interface Difference {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** For each: `alpha: weight 1 → 4; zone none → a`. */
  readonly changed: readonly string[]
}

/** `weight 1 → 4`, for each setting that is different. */
function changesOf(from: Settings, to: Settings): readonly string[] {
  return settings
    .filter(([name]) => text(from[name]) !== text(to[name]))
    .map(([name, word]) => `${word} ${text(from[name])} → ${text(to[name])}`)
}

/** A preview in words. */
export function previewed({ added, removed, changed }: PreviewView): Difference {
  const texts = changed.map(({ id, from, to }) => `${id}: ${changesOf(from, to).join('; ') || 'other options'}`)
  return { added, removed, changed: texts }
}

function byId({ backends }: SetView): ReadonlyMap<string, BackendView> {
  return new Map(backends.map((one) => [one.id, one]))
}

/** What has happened to a list meanwhile. */
export function differenceOf(before: SetView, now: SetView): Difference {
  const [earlier, later] = [byId(before), byId(now)]
  const changed: string[] = []
  for (const [id, from] of earlier) {
    const to = later.get(id)
    const changes = to === undefined ? [] : changesOf(from, to)
    if (changes.length > 0) changed.push(`${id}: ${changes.join('; ')}`)
  }
  return {
    added: [...later.keys()].filter((id) => !earlier.has(id)),
    removed: [...earlier.keys()].filter((id) => !later.has(id)),
    changed,
  }
}

/** True if nothing is different. */
export function isEmpty({ added, removed, changed }: Difference): boolean {
  return added.length + removed.length + changed.length === 0
}
