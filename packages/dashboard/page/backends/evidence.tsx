import { evidenceParts, type EvidenceTable } from './evidence-parts.ts'

function Observations({ caption, columns, rows }: EvidenceTable) {
  return (
    <table class="observations">
      {caption !== '' && <caption>{caption}</caption>}
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((text, column) => (
              <td key={columns[column]} data-label={columns[column]}>
                {text}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** The observations behind a veto. */
export function Evidence({ evidence }: { readonly evidence: unknown }) {
  const { facts, tables } = evidenceParts(evidence)
  return (
    <div class="evidence">
      {facts.length > 0 && (
        <p>
          {facts.map(([name, value]) => (
            <span key={name}>
              <small>{name}</small> {value}
            </span>
          ))}
        </p>
      )}
      {tables.map((table) => (
        <Observations key={table.caption} {...table} />
      ))}
    </div>
  )
}
