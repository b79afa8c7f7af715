import type { Field, NumberField, TextField } from './intent.ts'

function Line({ field }: { readonly field: NumberField | TextField }) {
  const { name, label, hint, isRequired } = field
  const shared = { id: name, name, 'aria-describedby': `${name}-hint`, required: isRequired, autocomplete: 'off' }
  return (
    <p class="field">
      <label for={name}>{label}</label>
      {field.kind === 'number' ? (
        <input
          {...shared}
          type="number"
          inputMode="decimal"
          min={field.minimum}
          max={field.maximum}
          step={field.step}
          defaultValue={field.initial}
        />
      ) : (
        <input {...shared} type="text" maxLength={field.longest} placeholder={field.example} spellcheck={false} />
      )}
      <small id={`${name}-hint`}>{hint}</small>
    </p>
  )
}

function One({ field }: { readonly field: Field }) {
  if (field.kind !== 'choice') return <Line field={field} />
  const { name, label, hint } = field
  return (
    <p class="field choice">
      <label>
        <input type="checkbox" name={name} aria-describedby={`${name}-hint`} />
        {label}
      </label>
      <small id={`${name}-hint`}>{hint}</small>
    </p>
  )
}

function List({ fields }: { readonly fields: readonly Field[] }) {
  return (
    <>
      {fields.map((field) => (
        <One key={field.name} field={field} />
      ))}
    </>
  )
}

/** The fields of a form, one below the other. */
export function Fields({ fields }: { readonly fields: readonly Field[] }) {
  const rare = fields.filter(({ isRare }) => isRare)
  return (
    <>
      <List fields={fields.filter(({ isRare }) => !isRare)} />
      {rare.length > 0 && (
        <details class="rare">
          <summary>More options</summary>
          <List fields={rare} />
        </details>
      )}
    </>
  )
}
