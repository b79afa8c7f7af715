import { BlockList, isIP, type Socket } from 'node:net'

/** Connections over a Unix socket, which have no address. */
const unix = 'unix'

/** An IPv4 address as a server sees it that listens on IPv6, too. */
const mapped = /^::ffff:(?=\d+\.)/i

/** Addresses of both families. A list of Node's would find every IPv4 address in `::/0`. */
type Lists = Readonly<Record<4 | 6, BlockList>>

const emptyLists = (): Lists => ({ 4: new BlockList(), 6: new BlockList() })

/** @throws TypeError or RangeError if it is neither an address nor a network */
function add(lists: Lists, text: string): void {
  const [address = '', prefix = '', ...rest] = text.split('/')
  const version = isIP(address) as 0 | 4 | 6
  if (version === 0 || address.includes('%') || rest.length > 0) throw new TypeError(`not a network: ${text}`)
  const family = version === 4 ? 'ipv4' : 'ipv6'
  if (!text.includes('/')) return lists[version].addAddress(address, family)
  if (!/^\d{1,3}$/.test(prefix)) throw new TypeError(`not a length: ${prefix}`)
  lists[version].addSubnet(address, Number(prefix), family)
}

/** Can `text` be one of `from`? */
export function isPeer(text: string): boolean {
  if (text === unix) return true
  try {
    add(emptyLists(), text)
    return true
  } catch {
    return false
  }
}

/** The proxies that send a header. */
export class Peers {
  readonly #lists = emptyLists()
  readonly #hasUnix: boolean

  constructor(from: readonly string[]) {
    this.#hasUnix = from.includes(unix)
    for (const text of from) if (text !== unix) add(this.#lists, text)
  }

  /** Is it the other end of this connection? `isUnix` says whether the server listens on a Unix socket. */
  has({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>, isUnix: boolean): boolean {
    if (isUnix) return this.#hasUnix
    const address = remoteAddress.replace(mapped, '')
    const version = isIP(address) as 0 | 4 | 6
    return version !== 0 && this.#lists[version].check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
}
