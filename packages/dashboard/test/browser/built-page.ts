import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '../../../../test/support/until.ts'

const folder = join(import.meta.dirname, '..', '..')
const lock = join('dist', 'building')

/** Whoever builds for longer than this (ms) was killed. */
const longest = 60_000

/** When a file was last changed, in ms since the epoch; -Infinity if there is none. */
function changedAt(path: string): number {
  return statSync(join(folder, path), { throwIfNoEntry: false })?.mtimeMs ?? -Infinity
}

function isOld(): boolean {
  const built = changedAt(join('dist', 'page', 'index.html'))
  const sources = (readdirSync(join(folder, 'page'), { recursive: true }) as string[]).map((file) => join('page', file))
  return ['package.json', 'vite.config.ts', ...sources].some((path) => changedAt(path) > built)
}

function tookLock(): boolean {
  try {
    mkdirSync(join(folder, lock))
    return true
  } catch {
    return false
  }
}

/** Builds the page, unless it is there and newer than all that it is built from. Test files may run at once. */
export async function buildPage(): Promise<void> {
  if (!isOld()) return
  mkdirSync(join(folder, 'dist'), { recursive: true })
  if (!tookLock()) {
    await until('another test has built the page', () => changedAt(lock) < Date.now() - longest, 2 * longest)
    if (!isOld()) return
  }
  try {
    await promisify(execFile)(process.execPath, ['--run', 'build'], { cwd: folder, timeout: longest })
  } finally {
    rmSync(join(folder, lock), { recursive: true, force: true })
  }
}
