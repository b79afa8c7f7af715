import { startNodeProgram } from '../node-program.ts'
import { packageVersion } from '../versions.ts'
import type { Subject } from './subject.ts'

/** A subject that is a program of `proxies/`. */
export function nodeSubject({
  packageName,
  program,
  args = [],
  ...subject
}: Pick<Subject, 'name' | 'title' | 'backends' | 'scenarios'> & {
  /** What is measured; Node itself when there is none. */
  readonly packageName?: string
  readonly program: string
  readonly args?: readonly string[]
}): Subject {
  return {
    ...subject,
    version: () => (packageName === undefined ? process.versions.node : packageVersion(packageName)),
    start(ports) {
      const origins = ports.slice(0, subject.backends).map((port) => `http://127.0.0.1:${port}`)
      return startNodeProgram('proxy', program, [...args, ...origins])
    },
  }
}
