import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..')

/** A block of code of a README or a page. */
export interface Block {
  readonly language: string
  /** The heading, or the bold beginning of a paragraph, that stands nearest before it. */
  readonly title: string
  readonly code: string
}

/** Every block of code of a page. */
export function blocksIn(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(({ 1: language, 2: code, index }) => ({
    language: language!,
    title: [...markdown.slice(0, index).matchAll(/^(?:#+ |\*\*)(\w[\w -]*)/gm)].at(-1)![1]!.trim(),
    code: code!,
  }))
}

/** A block as a program: one that listens is one; every other goes into `whole`, before that listens. */
export function completed({ code }: Block, whole: Block): string {
  return code.includes('.listen(') ? code : whole.code.replace(/^(?=await app\.listen)/m, code)
}

/** A folder in which programs find the packages of `modules`; who made it removes it. */
export class ProgramFolder {
  readonly path: string

  /** `modules`: a folder `node_modules`, within the repository. */
  constructor(modules: string) {
    this.path = mkdtempSync(join(tmpdir(), 'programs-'))
    symlinkSync(join(root, modules), join(this.path, 'node_modules'))
    writeFileSync(join(this.path, 'package.json'), '{ "type": "module" }')
  }

  /** Writes a file; answers its path. */
  write(name: string, text: string): string {
    const file = join(this.path, name)
    writeFileSync(file, text)
    return file
  }

  /** What the compiler says against programs, by their files; empty if nothing. */
  async typeFaults(programs: Readonly<Record<string, string>>, compilerOptions: object = {}): Promise<string> {
    for (const [name, text] of Object.entries(programs)) this.write(name, text)
    const typeRoots = [join(root, 'node_modules/@types')]
    const config = {
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: { typeRoots, ...compilerOptions },
      files: Object.keys(programs),
    }
    this.write('tsconfig.json', JSON.stringify(config))
    const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', this.path]).catch(
      (error: { stdout: string }) => error,
    )
    return stdout
  }

  remove(): void {
    rmSync(this.path, { recursive: true })
  }
}
