// What backends register: `@fastify-balancer/policies/backend`.
export { reportLoad as default, reportLoad } from './load-reports/report-load.ts'
