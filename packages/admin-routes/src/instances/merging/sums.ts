// Room `instances/merging`: what several instances tell becomes one. Each function takes the answers of all, in any order.
import { ownMember } from '@fastify-balancer/option-schema'

type Summable = number | readonly Summable[] | { readonly [name: string]: Summable }

const isNumber = (value: Summable): value is number => typeof value === 'number'

function sumOf(values: readonly Summable[]): Summable {
  if (values.every(isNumber)) return values.reduce((sum, one) => sum + one, 0)
  if (values.every(Array.isArray)) {
    const lists = values as readonly (readonly Summable[])[]
    const length = Math.max(...lists.map((list) => list.length))
    return Array.from({ length }, (_, index) => sumOf(lists.flatMap((list) => list[index] ?? [])))
  }
  const records = values as readonly Readonly<Record<string, Summable>>[]
  const names = new Set(records.flatMap((one) => Object.keys(one)))
  const sums = [...names].map((name) => [name, sumOf(records.flatMap((one) => wrapped(ownMember(one, name))))] as const)
  return Object.fromEntries(sums)
}

/** So that `flatMap` keeps what is a list. */
function wrapped(value: Summable | undefined): readonly Summable[] {
  return value === undefined ? [] : [value]
}

/** The sum of numbers, place by place in lists and name by name in objects. */
export function summed<Value>(values: readonly Value[]): Value {
  return sumOf(values as readonly Summable[]) as Value
}

const ascending = (one: number, other: number) => one - other

/** The mean, each value with its weight; 0 without any weight. The order of values does not matter, not even to the last bit. */
export function mean(values: readonly (readonly [value: number, weight: number])[]): number {
  const all = values.filter(([, weight]) => weight > 0)
  const [first] = all
  if (first === undefined) return 0
  if (all.every(([value]) => value === first[0])) return first[0]
  const total = all.reduce((sum, [, weight]) => sum + weight, 0)
  return all
    .map(([value, weight]) => (value * weight) / total)
    .toSorted(ascending)
    .reduce((sum, one) => sum + one, 0)
}

/** The one in the middle, the lower one of two. */
export function median(values: readonly number[]): number {
  return values.toSorted(ascending)[Math.floor((values.length - 1) / 2)] ?? 0
}

/** The numbers that are given. */
function given(values: readonly (number | undefined)[]): readonly number[] {
  return values.filter((value) => value !== undefined)
}

/** The least, under a name; nothing if none is given. */
export function least<Name extends string>(
  name: Name,
  values: readonly (number | undefined)[],
): Readonly<Partial<Record<Name, number>>> {
  const all = given(values)
  return (all.length === 0 ? {} : { [name]: Math.min(...all) }) as Partial<Record<Name, number>>
}

/** The greatest, under a name; nothing if none is given. */
export function most<Name extends string>(
  name: Name,
  values: readonly (number | undefined)[],
): Readonly<Partial<Record<Name, number>>> {
  const all = given(values)
  return (all.length === 0 ? {} : { [name]: Math.max(...all) }) as Partial<Record<Name, number>>
}

/** Those that come first by these numbers or texts, compared one after the other. */
export function firstBy<Value>(
  values: readonly Value[],
  keys: (value: Value) => readonly (number | string)[],
): Value[] {
  return values.toSorted((one, other) => {
    const theirs = keys(other)
    for (const [index, key] of keys(one).entries()) {
      const against = theirs[index]!
      if (key !== against) return key < against ? -1 : 1
    }
    return 0
  })
}
