export { FleetHost, type WorkerChannel } from './ipc/fleet-host.ts'
export { environmentName, successorValue } from './ipc/messages.ts'
