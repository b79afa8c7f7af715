import type { Store } from '../live/store.ts'
import type { Tone } from '../overview/condition.ts'
import { tabText } from './title-text.ts'

const icons: Readonly<Record<Tone, string>> = {
  good: new URL('../icon.svg', import.meta.url).href,
  warn: new URL('../icon-warn.svg', import.meta.url).href,
  bad: new URL('../icon-bad.svg', import.meta.url).href,
}

/**
 * Shows in the title and the icon of the browser's tab how bad the state is. Not a component: a tab in the background gets
 * no animation frames, and it is there that the title matters.
 */
export function showInTab(store: Store): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')!
  let shown: Tone = 'good'
  store.listen(() => {
    const { title, tone } = tabText(store.state)
    if (document.title !== title) document.title = title
    if (tone === shown) return
    shown = tone
    link.href = icons[tone]
  })
}
