import { themeChange } from '../theme.ts'

/** Names of colours, as in the style sheets. */
export type Colour = 'ink' | 'muted' | 'hairline' | 'low' | 'middle' | 'high' | 'bad' | 'wash' | 'bad-fill'

const known = new Map<Colour, string>()
themeChange.addEventListener('change', () => known.clear())

/** A colour of the current theme, for a canvas. */
export function colour(name: Colour): string {
  let value = known.get(name)
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
    known.set(name, value)
  }
  return value
}
