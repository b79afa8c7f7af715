import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The origins to forward to, from the command line. */
export const origins = process.argv.slice(2).filter((argument) => argument.startsWith('http://'))

/** For a proxy that knows one backend only. */
export const origin = origins[0]!

/** Tells the parent the port of a server that listens. The program ends with its parent. */
export function announce(server: Server): void {
  process.once('disconnect', () => process.exit())
  process.send!((server.address() as AddressInfo).port)
}

/** Listens on a free port of the loopback, and tells the parent which. */
export function serve(server: Server): void {
  server.listen(0, '127.0.0.1', 4096, () => announce(server))
}
