import { candidates, keepFromCaches, textOf, type Carrier } from './carrier.ts'

/** Tokens in a header of one's own, both ways. */
export function headerCarrier(name: string): Carrier {
  const lower = name.toLowerCase()
  const tokensIn: Carrier['tokensIn'] = (headers) => candidates([textOf(headers[lower], ', ')])
  return {
    tokensIn,
    hide(attempt) {
      if (attempt.exchange.headers[lower] !== undefined) attempt.setHeader(lower, undefined)
    },
    bind(attempt, token) {
      const { headers, exchange } = attempt
      delete headers[lower]
      if (tokensIn(exchange.headers)[0] === token) return
      headers[lower] = token
      keepFromCaches(attempt)
    },
  }
}
