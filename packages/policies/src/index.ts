export { policiesPlugin as default, policiesPlugin } from './plugin.ts'
export { policies } from './policies.ts'
export type * from './policies.generated.ts'
