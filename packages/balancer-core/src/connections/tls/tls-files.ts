import { readFileSync } from 'node:fs'
import { markOf } from '../../names/files/file-mark.ts'
import type { TlsOptions } from './tls-options.ts'

/** Each option that names a file, and the option of Node that takes what is in it. */
const contents = { caFile: 'ca', certFile: 'cert', keyFile: 'key' } as const

type FileOption = keyof typeof contents

/** An option that names a file. */
export interface NamedFile {
  readonly option: FileOption
  readonly path: string
}

/** What Node takes, from the files. */
export type FileContents = { readonly [Option in (typeof contents)[FileOption]]?: string }

/** The files that options name. */
export function filesOf(tls: TlsOptions): readonly NamedFile[] {
  const options = Object.keys(contents) as FileOption[]
  return options.flatMap((option) => {
    const path = tls[option]
    return path === undefined ? [] : [{ option, path }]
  })
}

/** The option of Node that a file stands for. */
export function optionFor({ option }: NamedFile): keyof FileContents {
  return contents[option]
}

/** By which a change of any of these files is noticed. */
export function marksOf(paths: readonly string[]): string {
  return paths.map(markOf).join('\n')
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this process',
  EISDIR: 'is a folder',
}

/** Reads the files that options name; what is wrong with one is added to `faults`. */
export function readFiles(tls: TlsOptions, faults: string[]): FileContents {
  const read = filesOf(tls).flatMap((file) => {
    try {
      return [[optionFor(file), readFileSync(file.path, 'utf8')] as const]
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      faults.push(`${file.option}: '${file.path}' ${problems[code] ?? `cannot be read: ${message}`}`)
      return []
    }
  })
  return Object.fromEntries(read)
}
