import type { IncomingFields } from '../headers/fields.ts'
import { referenceFor, type TwoViews } from './own-addresses.ts'

const fields = ['location', 'content-location', 'refresh'] as const

/** `5; url=/path`, as browsers read it: `url=` may be missing, and there may be quotes (HTML, "shared declarative refresh steps"). */
const refresh = /^(\s*[\d.]+(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?)(?:(["'])(.*?)(\2.*|$)|(.*)$)/is

function refreshFor(text: string, views: TwoViews): string {
  const [, start, quote, quoted, end, bare] = refresh.exec(text) ?? []
  if (start === undefined) return text
  return quote === undefined
    ? start + referenceFor(bare!, views)
    : `${start}${quote}${referenceFor(quoted!, views)}${end}`
}

/** Does the response name an address that may have to change? */
export function namesAddress(headers: IncomingFields): boolean {
  return fields.some((name) => headers[name] !== undefined)
}

/** Makes `Location`, `Content-Location` and `Refresh` lead the client where they would lead the backend. */
export function followLocations(headers: IncomingFields, views: TwoViews): void {
  for (const name of fields) {
    const value = headers[name]
    if (value === undefined) continue
    const follow = name === 'refresh' ? refreshFor : referenceFor
    headers[name] = Array.isArray(value) ? value.map((one) => follow(one, views)) : follow(`${value}`, views)
  }
}
