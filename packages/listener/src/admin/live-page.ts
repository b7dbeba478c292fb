import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** The live page, and the policy that holds a browser to it. */
export interface LivePage {
  readonly html: string
  /** Value of Content-Security-Policy. */
  readonly policy: string
}

/** In a folder of the package that is not compiled, as far away from dist as from src. */
const PAGE_URL = new URL('../../static/live.html', import.meta.url)

/**
 * Reads the page. Its one script and one style are allowed by their hashes, so that whatever text of
 * an application got into the page could not run.
 */
export function readLivePage(): LivePage {
  const html = readFileSync(PAGE_URL, 'utf8')
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(html, 'script')}`,
    `style-src ${hashOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
  return { html, policy }
}

function hashOf(html: string, tag: 'script' | 'style'): string {
  const text = html.slice(html.indexOf(`<${tag}>`) + tag.length + 2, html.indexOf(`</${tag}>`))
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
