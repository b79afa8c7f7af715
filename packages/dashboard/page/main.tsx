import { render } from 'preact'
import { Api } from './api/api.ts'
import { App } from './app.tsx'
import { showInTab } from './head/tab.ts'
import { Live } from './live/live.ts'
import { Store } from './live/store.ts'
import { rememberedTheme, showTheme } from './theme.ts'

/** `settings.json`: the path of the admin routes, relative to the page. */
interface Settings {
  readonly admin: string
}

async function start(): Promise<void> {
  const here = new URL('.', document.baseURI)
  const response = await fetch(new URL('settings.json', here))
  if (!response.ok) throw new Error(`The server answered ${response.status} to ${response.url}`)
  const { admin } = (await response.json()) as Settings
  const api = new Api(new URL(`${admin}/`, here))
  const store = new Store()
  const live = new Live(api, store)
  showInTab(store)
  live.start()
  render(<App store={store} live={live} api={api} />, document.body)
}

showTheme(rememberedTheme())
start().catch((error: unknown) => {
  render(<p role="alert">The page could not be loaded: {String(error)}. Reload it to try again.</p>, document.body)
})
