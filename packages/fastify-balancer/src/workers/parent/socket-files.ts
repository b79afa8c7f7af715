import { CommandError } from '../../command-error.ts'
import { clearSocketFile } from '../../server/socket-file.ts'

/** The Unix sockets at which workers listen: this process opens them for all. */
export class SocketFiles {
  readonly #cleared = new Map<string, Promise<string | undefined>>()

  /** Makes way for a socket, once, however many workers ask. Answers why it cannot be opened, or undefined. */
  clear(path: string): Promise<string | undefined> {
    let cleared = this.#cleared.get(path)
    if (cleared === undefined) this.#cleared.set(path, (cleared = this.#clear(path)))
    return cleared
  }

  /** What hinders it may have gone when it is tried again. */
  async #clear(path: string): Promise<string | undefined> {
    const fault = await faultOf(path)
    if (fault !== undefined) this.#cleared.delete(path)
    return fault
  }
}

async function faultOf(path: string): Promise<string | undefined> {
  try {
    await clearSocketFile(path)
    return undefined
  } catch (error) {
    if (error instanceof CommandError) return error.message
    throw error
  }
}
