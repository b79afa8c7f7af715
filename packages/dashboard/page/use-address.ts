import { useCallback, useEffect, useState } from 'preact/hooks'

/** What the address says behind `#`, by name: `#balancer=api&state=unhealthy`. So a link shows others the same. */
export type Address = Readonly<Record<string, string>>

/** Changes to it; undefined takes a part away. */
export type AddressChange = Readonly<Record<string, string | undefined>>

/** Reads the part of a URL behind `#`. */
export function addressOf(hash: string): Address {
  return Object.fromEntries(new URLSearchParams(hash.replace(/^#/, '')))
}

/** The part of a URL behind `#`; empty if there is nothing to say. In alphabetical order, so that the same is written alike. */
export function hashOf(address: AddressChange): string {
  const parts = Object.entries(address).filter(([, value]) => value !== undefined && value !== '')
  const parameters = new URLSearchParams(parts as [string, string][])
  parameters.sort()
  const written = parameters.toString()
  return written === '' ? '' : `#${written}`
}

/** The address, and how to change it: as a step, which the browser's "Back" takes back, or in place. */
export function useAddress(): readonly [Address, (change: AddressChange, isStep?: boolean) => void] {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const onChange = () => setHash(location.hash)
    addEventListener('hashchange', onChange)
    return () => {
      removeEventListener('hashchange', onChange)
    }
  }, [])
  const change = useCallback((changed: AddressChange, isStep = false) => {
    const next = hashOf({ ...addressOf(location.hash), ...changed })
    const url = `${location.pathname}${location.search}${next}`
    if (isStep) history.pushState(null, '', url)
    else history.replaceState(null, '', url)
    setHash(next)
  }, [])
  return [addressOf(hash), change]
}
