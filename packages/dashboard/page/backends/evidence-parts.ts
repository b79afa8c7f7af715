import { clockTime, count, durationText, nothing, percent, wordsOf } from '../figures-text.ts'

/** A table of observations. */
export interface EvidenceTable {
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Evidence of a veto, ready to be shown. */
export interface EvidenceParts {
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly tables: readonly EvidenceTable[]
}

type Fields = Readonly<Record<string, unknown>>

const moments = new Set(['at', 'since', 'until'])
const durations = new Set(['took', 'connected', 'responded', 'duration', 'lasts', 'waited', 'p90', 'median'])
const shares = new Set(['share', 'mean', 'sigma'])

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(value: unknown): value is readonly Fields[] {
  return Array.isArray(value) && value.length > 0 && value.every(isFields)
}

function numberText(name: string, value: number, others: Fields): string {
  if (moments.has(name)) return clockTime(value)
  if (shares.has(name) || (name === 'limit' && 'share' in others)) return percent(value)
  if (durations.has(name) || (name === 'limit' && 'median' in others)) return durationText(value)
  return count(value)
}

function textOf(name: string, value: unknown, others: Fields): string {
  if (value === null || value === undefined) return nothing
  if (typeof value === 'number') return numberText(name, value, others)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return value
  if (Array.isArray(value) && !value.some((one) => typeof one === 'object')) return value.join(', ')
  return JSON.stringify(value)
}

/** The fields of an object, with those of objects in it. */
function flattened(fields: Fields, before = ''): (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const words = `${before}${wordsOf(name)}`
    if (!isFields(value)) return [[words, textOf(name, value, fields)] as const]
    // How long something took needs no longer name.
    return flattened(value, name === 'timings' ? before : `${words} `)
  })
}

function tableOf(caption: string, list: readonly Fields[]): EvidenceTable {
  const rows = list.map((fields) => new Map(flattened(fields)))
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))]
  return { caption, columns, rows: rows.map((row) => columns.map((column) => row.get(column) ?? nothing)) }
}

/** Splits evidence, which may be anything, into facts and tables; times become times of day. */
export function evidenceParts(evidence: unknown): EvidenceParts {
  if (isList(evidence)) return { facts: [], tables: [tableOf('', evidence)] }
  if (!isFields(evidence)) return { facts: [['evidence', textOf('', evidence, {})]], tables: [] }
  const lists = Object.entries(evidence).filter(([, value]) => isList(value)) as [string, readonly Fields[]][]
  const rest = Object.fromEntries(Object.entries(evidence).filter(([, value]) => !isList(value)))
  return { facts: flattened(rest), tables: lists.map(([name, list]) => tableOf(wordsOf(name), list)) }
}
