/** The URL of an application in test/fixtures, with parameters that it reads from its own URL. */
export function fixtureUrl(name: string, parameters: Record<string, string> = {}): URL {
  const url = new URL(`../fixtures/${name}`, import.meta.url)
  for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value)
  return url
}
