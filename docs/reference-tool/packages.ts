/** The packages with an API reference: one page for each. */
export const PACKAGES: readonly string[] = ['core', 'router', 'listener', 'middleware']
