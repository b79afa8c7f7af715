import { columns, nextSorting, type Column, type Sorting } from './columns.ts'

interface HeadingsProps {
  readonly sorting: Sorting | undefined
  readonly onSort: (sorting: Sorting | undefined) => void
}

function Heading({ column, sorting, onSort }: HeadingsProps & { readonly column: Column }) {
  const { name, key, value } = column
  if (value === undefined)
    return (
      <th role="columnheader" scope="col" class={key}>
        <span>{name}</span>
      </th>
    )
  const direction = sorting?.key !== key ? undefined : sorting.isDescending ? 'descending' : 'ascending'
  return (
    <th role="columnheader" scope="col" class={key} {...(direction !== undefined && { 'aria-sort': direction })}>
      <button type="button" class={`sort ${direction ?? ''}`} onClick={() => onSort(nextSorting(sorting, column))}>
        {name}
      </button>
    </th>
  )
}

/** The headings of the table: each is a button that sorts by its column. */
export function Headings(props: HeadingsProps) {
  return (
    <thead role="rowgroup">
      <tr role="row">
        {columns.map((column) => (
          <Heading key={column.key} column={column} {...props} />
        ))}
      </tr>
    </thead>
  )
}
