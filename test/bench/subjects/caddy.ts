import { caddyVersion, startCaddy } from '../caddy.ts'
import type { Subject } from './subject.ts'

export const caddy: Subject = {
  name: 'caddy',
  title: 'Caddy',
  backends: 3,
  version: caddyVersion,
  start: (ports, directory) => startCaddy(ports, directory),
}
