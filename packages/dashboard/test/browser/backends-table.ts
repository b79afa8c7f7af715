import type { Locator, Page } from 'playwright-core'
import { eventually } from './eventually.ts'

const columns = [
  'Backend',
  'State',
  'Share',
  'In flight',
  'Rate',
  'Errors',
  'p95',
  'Probe',
  'Weight',
  'Actions',
] as const
/** What a column is headed. */
export type Column = (typeof columns)[number]

/** What can be done with a backend, as the menu says it; and how its dialog and its button are called then. */
const titles = {
  'Back to ready': (id: string) => `Make ${id} ready`,
  Drain: (id: string) => `Drain ${id}`,
  'Change deadline': (id: string) => `Change deadline of ${id}`,
  'Put in maintenance': (id: string) => `Put ${id} in maintenance`,
  'Set weight': (id: string) => `Set weight of ${id}`,
  'Open circuit': (id: string) => `Open circuit of ${id}`,
  'Close circuit': (id: string) => `Close circuit of ${id}`,
  'Release circuit': (id: string) => `Release circuit of ${id}`,
  'Probe now': (id: string) => `Probe ${id}`,
  Remove: (id: string) => `Remove ${id}`,
}
/** What can be done with a backend, as the menu says it. */
export type Action = keyof typeof titles

/** The table of backends, found by its roles and names alone, as somebody finds it who does not see it. */
export class BackendsTable {
  readonly table: Locator
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
    this.table = page.getByRole('table', { name: 'Backends', exact: true })
  }

  /** The ids, in the order of the rows. */
  async ids(): Promise<string[]> {
    const names = await this.table
      .getByRole('button', { name: /^Actions for / })
      .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label')))
    return names.map((name) => name?.replace(/^Actions for /, '') ?? '')
  }

  /** The button that sorts by a column. */
  heading(column: Exclude<Column, 'Actions'>): Locator {
    return this.table.getByRole('columnheader', { name: column, exact: true }).getByRole('button')
  }

  row(id: string): Locator {
    return this.table.getByRole('row').filter({ has: this.button(id) })
  }

  cell(id: string, column: Exclude<Column, 'Backend'>): Locator {
    return this.row(id)
      .getByRole('cell')
      .nth(columns.indexOf(column) - 1)
  }

  /** Opens the details of a row; answers them. */
  async open(id: string): Promise<Locator> {
    const button = this.#page.getByRole('button', { name: `Details of ${id}`, exact: true })
    await button.click()
    const details = await eventually(
      `the details of ${id} are there`,
      () => button.getAttribute('aria-controls'),
      (controls) => controls !== null,
    )
    return this.table.locator(`[id="${details}"]`)
  }

  /** The button that opens the menu of a row. */
  button(id: string): Locator {
    return this.#page.getByRole('button', { name: `Actions for ${id}`, exact: true })
  }

  get menu(): Locator {
    return this.#page.getByRole('menu')
  }

  item(action: Action): Locator {
    return this.menu.getByRole('menuitem', { name: action, exact: true })
  }

  dialog(action: Action, id: string): Locator {
    return this.#page.getByRole('dialog', { name: titles[action](id), exact: true })
  }

  /** Opens the menu of a row and chooses; answers the dialog. */
  async choose(action: Action, id: string): Promise<Locator> {
    await this.button(id).click()
    await this.item(action).click()
    const dialog = this.dialog(action, id)
    await dialog.waitFor()
    return dialog
  }

  /** The text of a cell. */
  async text(id: string, column: Exclude<Column, 'Backend'>): Promise<string> {
    return (await this.cell(id, column).innerText()).trim()
  }

  /** Waits until the text of a cell is as `pattern` says, for `patience` ms at most; answers it. */
  until(id: string, column: Exclude<Column, 'Backend'>, pattern: RegExp, patience?: number): Promise<string> {
    return eventually(
      `the ${column} of ${id} is ${pattern}`,
      () => this.text(id, column),
      (text) => pattern.test(text),
      patience,
    )
  }
}
