export { withDefaults, type Given } from './defaults.ts'
export { faultsOf } from './faults.ts'
export { code, milliseconds, strict } from './parts.ts'
