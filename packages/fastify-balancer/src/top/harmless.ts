// oxlint-disable-next-line no-control-regex -- it is these that are removed
const controls = /[\u0000-\u001F\u007F-\u009F]/g

/** A text of a server, which must not move the cursor. */
export const harmless = (text: string) => text.replaceAll(controls, '?')
