import { haproxyVersion, startHaproxy } from '../haproxy.ts'
import type { Subject } from './subject.ts'

export const haproxy: Subject = {
  name: 'haproxy',
  title: 'HAProxy',
  backends: 3,
  version: haproxyVersion,
  start: (ports, directory) => startHaproxy(ports, directory),
}
