import { Component, h, type ComponentChildren, type FunctionComponent } from 'preact'

function differs(before: object, after: object): boolean {
  const [one, other] = [before, after] as Record<string, unknown>[]
  return [...new Set([...Object.keys(one!), ...Object.keys(other!)])].some((key) => !Object.is(one![key], other![key]))
}

/** A component that is rendered again only if one of its properties changes. */
export function memo<Props extends object>(component: FunctionComponent<Props>) {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      return differs(this.props, next)
    }

    override render(): ComponentChildren {
      return h(component, this.props as Props)
    }
  }
}
