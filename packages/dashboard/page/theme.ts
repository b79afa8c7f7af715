/** What the page looks like: as the system does, or as the viewer has chosen. */
export const themes = ['system', 'light', 'dark'] as const
/** One of `themes`. */
export type Theme = (typeof themes)[number]

const key = 'fastify-balancer-theme'

/** What was chosen last, in this browser. */
export function rememberedTheme(): Theme {
  try {
    const stored = localStorage.getItem(key)
    return themes.find((theme) => theme === stored) ?? 'system'
  } catch {
    // The browser may keep nothing.
    return 'system'
  }
}

/** Remembers a choice. */
export function rememberTheme(theme: Theme): void {
  try {
    localStorage.setItem(key, theme)
  } catch {
    // Then it is asked again after the next reload.
  }
}

/** Tells those who draw on a canvas, which styles do not reach. */
export const themeChange = new EventTarget()

/** Shows the page so. */
export function showTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme
  themeChange.dispatchEvent(new Event('change'))
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  themeChange.dispatchEvent(new Event('change'))
})
