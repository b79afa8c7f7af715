import { randomBytes } from 'node:crypto'

/** A new key for TLS session tickets, in base64: Node takes 48 bytes. */
export function newTicketKey(): string {
  return randomBytes(48).toString('base64')
}

/** After so long, another key takes its place (ms). */
export const ticketKeyAge = 12 * 60 * 60 * 1000
