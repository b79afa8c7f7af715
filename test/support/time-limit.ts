import { afterEach } from 'node:test'
import { keepCompiledCode } from './compile-cache.ts'

keepCompiledCode()

/**
 * Loaded before each test file (`--import`): one in which no test ends for so long (ms) fails, and says what it left
 * open. The test runner's own time limit does not end a file whose tests have passed and whose server still listens.
 */
const limit = 300_000

// The runner itself, which loads this too, may take as long as all of them together.
if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  const timer = setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ')
    process.stderr.write(`${process.argv[1]}: no test has ended for ${limit / 1000} s; still open: ${open}\n`)
    process.exit(1)
  }, limit).unref()
  // A long file on a slow machine goes on as long as it gets on.
  afterEach(() => void timer.refresh())
}
