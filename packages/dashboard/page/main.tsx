import { render } from 'preact'
import { Api } from './api/api.ts'
import { App } from './app.tsx'
import { Live } from './live/live.ts'
import { Store } from './live/store.ts'
import { rememberedTheme, showTheme } from './theme.ts'

/** What the plugin tells the page: where the admin routes are, seen from here. */
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
  live.start()
  render(<App store={store} live={live} api={api} />, document.body)
}

showTheme(rememberedTheme())
start().catch((error: unknown) => {
  render(<p role="alert">This page cannot start: {String(error)}. Reload it to ask again.</p>, document.body)
})
