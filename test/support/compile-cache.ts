import { fileURLToPath } from 'node:url'

/**
 * Lets the test files, and the programs that they start, find compiled code where others have left it. On Node 26 that
 * spares a third of what it costs to load TypeScript. Node checks by the source that what it finds is valid.
 */
export function keepCompiledCode(): void {
  process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url))
}
