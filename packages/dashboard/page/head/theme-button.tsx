import { useState } from 'preact/hooks'
import { rememberedTheme, rememberTheme, showTheme, themes } from '../theme.ts'

/** Switches to the next theme. */
export function ThemeButton() {
  const [theme, setTheme] = useState(rememberedTheme)
  const next = themes[(themes.indexOf(theme) + 1) % themes.length]!
  const choose = () => {
    setTheme(next)
    rememberTheme(next)
    showTheme(next)
  }
  return (
    <button type="button" class="quiet" onClick={choose}>
      Theme: {theme}
    </button>
  )
}
