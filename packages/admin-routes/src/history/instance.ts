import { hostname } from 'node:os'
import process from 'node:process'

/** A name of this process, among those that serve the same clients: its host and its id. */
export const instance = `${hostname()}:${process.pid}`
