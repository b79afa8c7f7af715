// Room `systemd`: tells systemd how the process is, as `sd_notify(3)` has it: datagrams to the Unix socket in NOTIFY_SOCKET.
import { spawn, type ChildProcess } from 'node:child_process'

/**
 * Node has no sockets for datagrams to Unix sockets, and starting a process of a large one holds it up for milliseconds. So a
 * small shell is started once, which passes each line on: tabs part the variables of one message. It outlives SIGTERM,
 * which systemd may send to it as well.
 */
const passOn = `trap '' TERM INT HUP; set -f; IFS='\t'; while read -r line; do systemd-notify $line || exit; done`

/** What systemd has said in the environment. */
type Environment = Readonly<Record<string, string | undefined>>

/** Sends messages to systemd, one after the other. */
export class Notifier {
  /** How often systemd wants to be told that the process is alive (ms), halved so that one may be late; undefined = never. */
  readonly interval: number | undefined
  readonly #environment: Environment
  readonly #report: (fault: string) => void
  #shell: ChildProcess | undefined
  #fault: string | undefined

  private constructor(environment: Environment, report: (fault: string) => void) {
    const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid = String(process.pid) } = environment
    this.interval = Number(usec) > 0 && pid === String(process.pid) ? Number(usec) / 2000 : undefined
    this.#environment = environment
    this.#report = report
  }

  /** Undefined where nobody listens: the process was not started by systemd with `Type=notify`. */
  static of(environment: Environment, report: (fault: string) => void): Notifier | undefined {
    return (environment['NOTIFY_SOCKET'] ?? '') === '' ? undefined : new Notifier(environment, report)
  }

  /** Sends these variables, e.g. `READY=1`, in one message. */
  notify(...variables: readonly string[]): void {
    this.#shell ??= this.#start()
    this.#shell.stdin!.write(`${variables.map((one) => one.replaceAll(/[\t\n\\]/g, ' ')).join('\t')}\n`)
  }

  #start(): ChildProcess {
    const { PATH, NOTIFY_SOCKET } = this.#environment
    // In its own environment there are no secrets.
    const shell = spawn('sh', ['-c', passOn], { stdio: ['pipe', 'ignore', 'pipe'], env: { PATH, NOTIFY_SOCKET } })
    let told = ''
    const fail = (why: string): void => {
      if (this.#shell !== shell) return
      this.#shell = undefined
      // Told once, not with every message.
      if (why !== this.#fault) this.#report(`systemd was not told: ${why}`)
      this.#fault = why
    }
    shell.stderr.on('data', (chunk) => (told += String(chunk)))
    shell.stdin.on('error', () => {})
    shell.on('error', ({ message }) => fail(message))
    shell.on('exit', (code) => fail(told.trim() || `systemd-notify ended with ${code}`))
    // None of it keeps the process alive.
    shell.unref()
    for (const stream of [shell.stdin, shell.stderr] as unknown as { unref(): void }[]) stream.unref()
    return shell
  }
}
