import { momentText } from '../figures-text.ts'
import type { Instance } from '../live/fleet.ts'
import { lookOf, type Look } from './instance-look.ts'

/** A different shape for each, since not everybody can tell the colours apart. */
const shapes: Readonly<Record<Look, string>> = {
  ready: 'M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9Z',
  starting: 'M1 9.5h10L6 1.5Z',
  draining: 'M1 2.5h10L6 10.5Z',
  silent: 'M1.5 1.5h3v9h-3ZM7.5 1.5h3v9h-3Z',
}

/** Whether it is ready, and since when it runs. */
export function InstanceState({ instance }: { readonly instance: Instance }) {
  const look = lookOf(instance)
  return (
    <>
      <span class={`word ${look}`}>
        <svg class="symbol" viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
          <path d={shapes[look]} fill="currentColor" />
        </svg>
        {look}
      </span>{' '}
      {look !== 'silent' && <small>since {momentText(instance.since, Date.now())}</small>}
    </>
  )
}
