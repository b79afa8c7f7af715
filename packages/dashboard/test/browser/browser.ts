import { existsSync } from 'node:fs'
import { after } from 'node:test'
import { chromium, type Browser, type Page } from 'playwright-core'
import { credentialsOf, type User } from './users.ts'

const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** `CHROMIUM_PATH` says which; `none` is none. */
const { CHROMIUM_PATH: given = '' } = process.env
const executablePath = (given === '' ? usual : [given]).find((path) => existsSync(path))

/** What a test says that needs a browser: it is skipped where there is none, and does not wait for ever. */
export const inBrowser = {
  skip: executablePath === undefined && 'no Chromium: apt-get install chromium',
  timeout: 240_000,
} as const

/** So many tests of a file at once: they often wait for the next figures. */
export const together = { concurrency: 2 } as const

/** Nothing of its own on the network, no sandbox (which root cannot have), no graphics card. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

let launched: Promise<Browser> | undefined

/** The one browser of this file, with a new empty profile; it closes with the file. */
export function browser(): Promise<Browser> {
  launched ??= chromium.launch({ executablePath: executablePath!, args })
  return launched
}

const free = new Map<User, Page[]>()

/**
 * A blank page of somebody who will sign in with these credentials where they are asked to. One that was left is taken
 * again, as new ones take time: whoever is visited has a port of its own, and so a storage of its own.
 */
export async function takePage(user: User): Promise<Page> {
  const page = free.get(user)?.pop()
  if (page !== undefined) return page
  const context = await (await browser()).newContext({ httpCredentials: credentialsOf(user) })
  context.setDefaultTimeout(60_000)
  return context.newPage()
}

/** Gives a page back, with nobody listening to it. */
export async function leavePage(page: Page, user: User): Promise<void> {
  page.removeAllListeners()
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  await page.goto('about:blank')
  free.set(user, [...(free.get(user) ?? []), page])
}

after(async () => (await launched)?.close())
