import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { ConsoleMessage, Page, Request } from 'playwright-core'
import { BackendsTable } from './backends-table.ts'
import { leavePage, takePage } from './browser.ts'
import { eventually } from './eventually.ts'
import type { User } from './users.ts'

export interface VisitOptions {
  /** Who signs in; an operator. */
  readonly user?: User
  /** The part of the address behind `#`: what is to be shown. */
  readonly hash?: string
  readonly dark?: boolean
  readonly width?: number
  readonly height?: number
  /** Nothing moves. */
  readonly still?: boolean
  /** Prepares the blank page before it is opened. */
  readonly prepare?: (page: Page) => Promise<unknown>
  /** What may go wrong in this test: a pattern for each way in which it may. */
  readonly allowed?: readonly RegExp[]
}

const path = '/_balancer/dashboard/'

/** That is how the page finds out that somebody is a viewer; a browser puts each refusal on its console. */
const viewerIsRefused = /^console: Failed to load resource: .* 403 .*\/_balancer\/operator$/

/** The apps whose visits are over: the page is taken again, and may still tell of them. */
const left = new Set<string>()

/** The page as somebody sees it, and whatever goes wrong on it. */
export class Visit {
  readonly page: Page
  readonly table: BackendsTable
  /** One line each. */
  readonly problems: string[] = []
  readonly #origin: string
  readonly #user: User
  readonly #allowed: readonly RegExp[]
  #isOver = false

  constructor(page: Page, origin: string, user: User, allowed: readonly RegExp[]) {
    this.page = page
    this.table = new BackendsTable(page)
    this.#origin = origin
    this.#user = user
    this.#allowed = allowed
    page.on('console', (message) => this.#onConsole(message))
    page.on('pageerror', (error) => this.#note(`page error: ${error.stack ?? error.message}`))
    page.on('requestfailed', (request) =>
      this.#note(`request failed: ${request.failure()?.errorText} ${request.url()}`),
    )
    page.on('request', (request) => this.#onRequest(request))
  }

  /** The figure of that name as the page has it, which is `NaN` while there is none. */
  async figure(name: string): Promise<number> {
    const value = this.page.getByRole('group', { name, exact: true }).locator('[data-value]')
    const text = await value.getAttribute('data-value')
    return text === null || text === '' ? NaN : Number(text)
  }

  /** Waits until the page hears what happens, and shows every backend. */
  async live(): Promise<this> {
    await this.connection('Live')
    await this.table.table.waitFor()
    return this
  }

  /** Waits until the page says this of its connection. */
  async connection(state: 'Live' | 'Connecting' | 'Reconnecting', patience = 60_000): Promise<void> {
    const status = this.page.getByRole('status', { name: 'Connection' })
    await eventually(
      `the connection is ${state}`,
      () => status.textContent(),
      (text) => text?.trim() === state,
      patience,
    )
  }

  /** Waits until the page knows that an operator looks at it. */
  async operated(): Promise<void> {
    await this.page.locator('button.server[aria-disabled=false]').waitFor()
  }

  /** Leaves the page. @throws when anything went wrong on it that was not allowed */
  async end(t: TestContext): Promise<void> {
    this.#isOver = true
    left.add(this.#origin)
    if (!this.page.isClosed()) await leavePage(this.page, this.#user)
    // Where the test has failed, nobody hears of the assertion.
    for (const problem of this.problems) t.diagnostic(problem)
    assert.deepEqual(this.problems, [], 'what went wrong on the page')
  }

  #onConsole(message: ConsoleMessage): void {
    if (!['error', 'warning', 'assert'].includes(message.type())) return
    this.#note(`console: ${message.text()} ${message.location().url}`)
  }

  #onRequest(request: Request): void {
    const url = request.url()
    if (!url.startsWith('data:') && new URL(url).origin !== this.#origin) this.#note(`another host was asked: ${url}`)
  }

  #note(problem: string): void {
    if (this.#isOver || this.#allowed.some((pattern) => pattern.test(problem))) return
    if ([...left].some((origin) => problem.includes(`${origin}/`))) return
    this.problems.push(problem)
  }
}

/** Opens the page of an app, of which the browser knows nothing yet. */
export async function visit(origin: string, options: VisitOptions): Promise<Visit> {
  const {
    user = 'operator',
    hash = '',
    dark = false,
    width = 1280,
    height = 900,
    still = false,
    allowed = [],
    prepare,
  } = options
  const page = await takePage(user)
  left.delete(origin)
  await page.setViewportSize({ width, height })
  await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: still ? 'reduce' : 'no-preference' })
  await prepare?.(page)
  const visited = new Visit(page, origin, user, user === 'viewer' ? [viewerIsRefused, ...allowed] : allowed)
  await page.goto(`${origin}${path}${hash}`)
  return visited
}
