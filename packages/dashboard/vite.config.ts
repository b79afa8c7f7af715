import { join } from 'node:path'
import { defineConfig } from 'vite'

export default defineConfig({
  root: join(import.meta.dirname, 'page'),
  // The page may be served at any path.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, 'dist', 'next'),
    emptyOutDir: true,
    target: 'es2022',
    // Data URLs would have to be allowed where nothing else needs them.
    assetsInlineLimit: 0,
    modulePreload: false,
    license: { fileName: 'licenses.md' },
    reportCompressedSize: false,
  },
  logLevel: 'warn',
})
