import type { Socket } from 'node:net'
import { wireOf, type Wire } from './wire.ts'

/** As much as Node reads at once, in bytes. */
const size = 65_536
/** Spare memory beyond this is left to the garbage collector (buffers). */
const mostSpare = 16

type Lending = Socket & { [wireOf]?: Wire; [borrowerOf]?: Borrower }

/** What all sockets read into. Each takes a copy, so the next read may overwrite it. */
const shared = Buffer.allocUnsafeSlow(size)
const spare: Buffer[] = []
/** What the socket that has just read reads into the next time. */
let next: Buffer = shared

function giveBack(memory: Buffer): void {
  if (memory !== shared && spare.length < mostSpare) spare.push(memory)
}

/** Who writes on what a socket reads, from the memory that it was read into. */
export interface Borrower {
  /** What comes next may be in memory that is used again. */
  readonly borrows: boolean
  /** Passes such bytes on; false if the memory was kept. */
  borrow(bytes: Buffer): boolean
}

/** Where a socket of a tunnel keeps who borrows from it. */
export const borrowerOf = Symbol('fastify-balancer.borrower')

/** While much passes, a socket has memory of its own, and what was read is written on from there. */
function lend(socket: Socket, borrower: Borrower, bytes: Buffer, memory: Buffer): boolean {
  if (memory === shared || !borrower.borrows) {
    if (borrower.borrows) next = spare.pop() ?? Buffer.allocUnsafeSlow(size)
    else giveBack(memory)
    return socket.push(Buffer.from(bytes))
  }
  const isFree = borrower.borrow(bytes)
  if (isFree && borrower.borrows) next = memory
  else if (isFree) giveBack(memory)
  return true
}

/**
 * Node's option `onread`: sockets read into the same memory again and again, which stays in the processor's cache. By
 * default, each read allocates 64 KiB, however little it brings.
 */
export const memoryReuse = {
  /** Called for each new socket, and after each read for the one that has read. */
  buffer(): Buffer {
    const memory = next
    next = shared
    return memory
  },
  callback(this: Lending, length: number, memory: Buffer): boolean {
    const bytes = memory.subarray(0, length)
    const borrower = this[wireOf]?.long ?? this[borrowerOf]
    return borrower === undefined ? this.push(Buffer.from(bytes)) : lend(this, borrower, bytes, memory)
  },
}
