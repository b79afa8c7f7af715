import { readFile } from 'node:fs/promises'
import { reasonOf } from '../../file-error.ts'

/** 20 000 backends take 1 MiB, and 3 s. */
const mostBytes = 4 * 1_048_576

/** The text of a file that was written by hand, or why there is none. */
export async function textOf(path: string): Promise<{ readonly text: string } | { readonly fault: string }> {
  try {
    const bytes = await readFile(path)
    if (bytes.length > mostBytes) return { fault: `the file has more than ${mostBytes / 1_048_576} MiB` }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    if (error instanceof TypeError) return { fault: 'the file is not text in UTF-8' }
    return { fault: `cannot read the file: ${reasonOf(error)}` }
  }
}
