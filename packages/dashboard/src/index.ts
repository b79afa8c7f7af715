export { dashboard as default, dashboard } from './plugin.ts'
export { DashboardOptions, faultsOfOptions } from './options.ts'
