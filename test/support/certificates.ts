import { readFileSync } from 'node:fs'

const read = (name: string) => readFileSync(new URL(`certificates/${name}.pem`, import.meta.url), 'utf8')

/** For `localhost`, 127.0.0.1 and ::1. It has signed itself, so it is its own authority. Worthless outside these tests. */
export const localhost = { cert: read('localhost.cert'), key: read('localhost.key') }

/** The same, for a name that no test listens on. */
export const elsewhere = { cert: read('elsewhere.cert'), key: read('elsewhere.key') }
