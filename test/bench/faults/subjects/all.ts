import { caddyForFaults } from './caddy.ts'
import { haproxyForFaults } from './haproxy.ts'
import { nginxForFaults } from './nginx.ts'
import { oursForFaults } from './ours.ts'
import type { FaultSubject } from './subject.ts'

/** Every balancer that is tested. */
export const subjects: readonly FaultSubject[] = [...oursForFaults, nginxForFaults, haproxyForFaults, caddyForFaults]
