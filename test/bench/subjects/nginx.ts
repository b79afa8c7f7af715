import { nginxVersion, startNginxProxy } from '../nginx.ts'
import type { Subject } from './subject.ts'

export const nginx: Subject = {
  name: 'nginx',
  title: 'nginx',
  backends: 3,
  version: nginxVersion,
  start: (ports, directory) => startNginxProxy(ports, directory),
}
