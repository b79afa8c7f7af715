import sonicBoom from 'sonic-boom'
import { reasonNotWritten, writeError } from '../file-error.ts'

/** What is kept at most while the disk takes nothing (bytes); what comes on top of it is lost. */
const mostKept = 1_048_576

/** The file that the log is appended to. Each line is in it, or in the kernel's hands, before `write` returns. */
export class LogFile {
  readonly path: string
  readonly #file: sonicBoom.SonicBoom
  /** A full disk would be told of with every line. */
  #isFaulty = false

  /** `report` is told of faults in one line, since the log cannot. @throws CommandError when it cannot be opened */
  constructor(path: string, report: (line: string) => void) {
    this.path = path
    try {
      this.#file = new sonicBoom.SonicBoom({ dest: path, sync: true, maxLength: mostKept })
    } catch (error) {
      throw writeError(path, error, 2)
    }
    this.#file.on('write', () => (this.#isFaulty = false))
    this.#file.on('error', (error: Error) => {
      if (!this.#isFaulty) report(writeError(path, error, 2).message)
      this.#isFaulty = true
    })
  }

  write(line: string): void {
    this.#file.write(line)
  }

  /**
   * Opens its path again, after the file there was renamed. Answers why it could not, in words: then lines go on into the
   * file that is open.
   */
  reopen(): string | undefined {
    try {
      this.#file.reopen()
      return undefined
    } catch (error) {
      // It waits for its file to be open, and would close the one before once more after the next reopening.
      this.#file.removeAllListeners('ready')
      return reasonNotWritten(error)
    }
  }
}
