import assert from 'node:assert/strict'
import { after } from 'node:test'

/** Makes the file fail if anything in its process was thrown that nobody caught, whichever test it came from. */
export function failOnCrash(): void {
  const crashes: unknown[] = []
  const note = (error: unknown) => void crashes.push(error)
  process.on('uncaughtExceptionMonitor', note)
  process.on('unhandledRejection', note)
  after(() => {
    process.off('uncaughtExceptionMonitor', note)
    process.off('unhandledRejection', note)
    assert.deepEqual(crashes, [])
  })
}
