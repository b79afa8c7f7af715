import { watch, type FSWatcher } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { contentsOf, foldersOf } from './file-contents.ts'

/** How files are watched; times in ms. */
export interface FileWatchOptions {
  /** How long after the first sign of a change it is looked, and for how long what is there must stay the same. */
  readonly settle: number
  /** How often it is looked without a sign: some file systems give none. */
  readonly period: number
}

const usual: FileWatchOptions = { settle: 100, period: 5000 }

/** So often it is waited for files that go on changing, at most. */
const mostLooks = 20

/**
 * Notices that one of some files holds something else: written in place, replaced by another of its name, or by a link that
 * leads elsewhere. What changes without a new content is not told.
 */
export class FileWatch {
  readonly #options: FileWatchOptions
  #files: readonly string[]
  #known: ReadonlyMap<string, string>
  readonly #watchers = new Map<string, FSWatcher>()
  #onChange: ((files: readonly string[]) => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #dueAt = 0
  #looking = false
  #closed = false

  private constructor(files: readonly string[], known: ReadonlyMap<string, string>, options: FileWatchOptions) {
    this.#files = files
    this.#known = known
    this.#options = options
  }

  /** What the files hold now is known; whatever is another later is told once it was started. */
  static async open(files: readonly string[], options: Partial<FileWatchOptions> = {}): Promise<FileWatch> {
    return new FileWatch(files, await contentsOf(files), { ...usual, ...options })
  }

  /** Tells which files have changed, from now on, and what has changed since `open`. */
  async start(onChange: (files: readonly string[]) => void): Promise<void> {
    this.#onChange = onChange
    await this.#watchFolders()
    await this.#look()
  }

  /** Watches these from now on. What those hold that are new is known from now on. */
  async follow(files: readonly string[]): Promise<void> {
    const added = files.filter((file) => !this.#known.has(file))
    const known = new Map([...this.#known, ...(await contentsOf(added))])
    this.#files = files
    this.#known = new Map(files.map((file) => [file, known.get(file) ?? '']))
    await this.#watchFolders()
  }

  /** Nothing is told any more. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  async #watchFolders(): Promise<void> {
    const folders = new Set((await Promise.all(this.#files.map((file) => foldersOf(file)))).flat())
    if (this.#closed || this.#onChange === undefined) return
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder)
  }

  #watch(folder: string): void {
    const forget = () => {
      this.#watchers.delete(folder)
    }
    try {
      // Any event will do: which one a swap of links brings, differs.
      const watcher = watch(folder, { persistent: false }, () => this.#lookIn(this.#options.settle))
      this.#watchers.set(folder, watcher)
      watcher.on('error', forget)
    } catch {
      // It is looked there now and then, all the same.
      forget()
    }
  }

  /** Unless that is due sooner. */
  #lookIn(delay: number): void {
    if (this.#closed) return
    const dueAt = performance.now() + delay
    if (this.#timer !== undefined && this.#dueAt <= dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => void this.#look(), delay).unref()
  }

  async #look(): Promise<void> {
    this.#timer = undefined
    if (this.#looking) return this.#lookIn(this.#options.settle)
    this.#looking = true
    const files = this.#files
    let before = this.#known
    let now = await contentsOf(files)
    // The writer may not be done.
    for (let look = 0; look < mostLooks && !isSame(before, now, files) && !this.#closed; look++) {
      before = now
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await after(this.#options.settle)
      // oxlint-disable-next-line no-await-in-loop -- the same
      now = await contentsOf(files)
    }
    const changed = files.filter((file) => now.get(file) !== this.#known.get(file))
    this.#looking = false
    if (this.#closed) return
    this.#known = new Map([...this.#known, ...now])
    // A link may lead to another folder now.
    await this.#watchFolders()
    if (changed.length > 0) this.#onChange?.(changed)
    this.#lookIn(this.#options.period)
  }
}

function isSame(
  one: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
  files: readonly string[],
): boolean {
  return files.every((file) => one.get(file) === other.get(file))
}
