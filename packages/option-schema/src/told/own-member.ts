/** What a record has under a name that somebody else has chosen: `constructor` and `__proto__` are names like others. */
export function ownMember<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
