import { looks, ranges, type Range } from '../history/range.ts'

interface RangeChoiceProps {
  readonly range: Range
  readonly onChoose: (range: Range) => void
}

/** How far back the page looks. Radio buttons: arrow keys choose. */
export function RangeChoice({ range, onChoose }: RangeChoiceProps) {
  return (
    <fieldset class="range">
      <legend>Range</legend>
      {ranges.map((one) => (
        <label key={one}>
          <input type="radio" name="range" value={one} checked={one === range} onChange={() => onChoose(one)} />
          {looks[one].label}
        </label>
      ))}
    </fieldset>
  )
}
