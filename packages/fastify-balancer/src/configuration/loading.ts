import { spoken } from '@fastify-balancer/option-schema'
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { reasonOf } from '../file-error.ts'
import { within, type PlacedFault } from './document/fault.ts'
import type { Role } from './schema/reference.ts'

/** What a document names in place of a value. */
export interface Reference {
  readonly role: Role
  readonly pointer: string
  readonly value: unknown
}

/** What was found where a reference leads; with neither value nor fault, what stands there is the value. */
export interface Loaded {
  /** Undefined if there is a fault, or nothing to be put in its place. */
  readonly value?: unknown
  readonly file?: string
  /** Where it is named, as the document has it. */
  readonly source?: string
  readonly fault?: PlacedFault
}

async function loadContent({ pointer, value }: Reference, folder: string): Promise<Loaded> {
  const source = (value as { readonly file: string }).file
  const file = resolve(folder, source)
  try {
    // Editors and `echo` end a file with a newline, which is no part of a secret.
    const text = (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
    if (text !== '') return { value: text, file, source }
    return { file, fault: { pointer: within(pointer, 'file'), message: `${source} is empty` } }
  } catch (error) {
    return { file, fault: { pointer: within(pointer, 'file'), message: `cannot read ${source}: ${reasonOf(error)}` } }
  }
}

async function loadFile({ pointer, value }: Reference, folder: string): Promise<Loaded> {
  const source = value as string
  const file = resolve(folder, source)
  try {
    if ((await stat(file)).isFile()) {
      await readFile(file)
      return { value: file, file }
    }
    return { file, fault: { pointer, message: `${source} is not a file` } }
  } catch (error) {
    return { file, fault: { pointer, message: `cannot read ${source}: ${reasonOf(error)}` } }
  }
}

/** A module may wait for something that never comes; a reload must not. */
async function imported(url: string, patience: number): Promise<Readonly<Record<string, unknown>>> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const fault = new Error(`its import has not ended within ${spoken(patience)}`)
  const timer = setTimeout(() => reject(fault), patience)
  try {
    return (await Promise.race([import(url), late])) as Readonly<Record<string, unknown>>
  } finally {
    clearTimeout(timer)
  }
}

async function loadModule({ pointer, value }: Reference, folder: string, patience: number): Promise<Loaded> {
  const { module: source, export: name = 'default' } = value as { readonly module: string; readonly export?: string }
  const file = resolve(folder, source)
  const url = pathToFileURL(file)
  try {
    // A changed module is another one to Node only by another address; the same content stays the same module.
    url.search = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
      .slice(0, 12)
  } catch (error) {
    return { file, fault: { pointer: within(pointer, 'module'), message: `cannot read ${source}: ${reasonOf(error)}` } }
  }
  try {
    const exports = await imported(url.href, patience)
    if (Object.hasOwn(exports, name)) return { value: exports[name], file, source: `${source} (${name})` }
    const names = Object.keys(exports).map((one) => `\`${one}\``)
    const message = `${source} has no export \`${name}\`: ${names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`}`
    return {
      file,
      fault: { pointer: within(pointer, Object.hasOwn(value as object, 'export') ? 'export' : 'module'), message },
    }
  } catch (error) {
    const message = `cannot load ${source}: ${String(error).split('\n')[0]}`
    return { file, fault: { pointer: within(pointer, 'module'), message } }
  }
}

/** Somebody meant a file, and wrote it as other tools have it: that would be the secret itself. */
function misspeltFile({ pointer, value }: Reference): Loaded {
  const path = /^file:(?:\/\/(?=\/))?\s*(.*)$/s.exec(value as string)?.[1]
  if (path === undefined) return {}
  return { fault: { pointer, message: `to read it from a file, write \`{ file: ${path === '' ? 'PATH' : path} }\`` } }
}

type Loader = (reference: Reference, folder: string, patience: number) => Loaded | Promise<Loaded>

const loaders: Readonly<Record<Role, Loader>> = {
  content: loadContent,
  file: loadFile,
  module: loadModule,
  path: ({ value }, folder) => ({ value: resolve(folder, value as string) }),
  secret: misspeltFile,
}

/** So long the import of a module may take (ms). */
const longestImport = 30_000

/** Reads the file, or loads the module, that a reference names, relative to `folder`; a module within `patience` ms. */
export async function load(reference: Reference, folder: string, patience = longestImport): Promise<Loaded> {
  return loaders[reference.role](reference, folder, patience)
}
