/** The themes: that of the system, or the viewer's choice. */
export const themes = ['system', 'light', 'dark'] as const
/** One of `themes`. */
export type Theme = (typeof themes)[number]

const key = 'fastify-balancer-theme'

/** The last choice in this browser. */
export function rememberedTheme(): Theme {
  try {
    const stored = localStorage.getItem(key)
    return themes.find((theme) => theme === stored) ?? 'system'
  } catch {
    // Storage may be disabled.
    return 'system'
  }
}

/** Remembers a choice. */
export function rememberTheme(theme: Theme): void {
  try {
    localStorage.setItem(key, theme)
  } catch {
    // Without storage, the choice lasts until the next reload.
  }
}

/** For drawings on a canvas, which style sheets do not reach. */
export const themeChange = new EventTarget()

/** Applies a theme. */
export function showTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme
  themeChange.dispatchEvent(new Event('change'))
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  themeChange.dispatchEvent(new Event('change'))
})
