// RFC 9110 §12: proactive negotiation.

import fc from 'fast-check'
import t from 'tap'
import { accepts, acceptsEncoding, acceptsLanguage, rankEncodings } from '../src/negotiation.ts'
import { RequestHeaders } from '../src/request-headers.ts'

type Case = readonly [field: string | null, offers: string[], chosen: string | null, why?: string]

function withField(name: string, value: string | null): { headers: RequestHeaders } {
  return { headers: new RequestHeaders(value === null ? '' : `${name}: ${value}\r\n`, 0) }
}

const JSON_HTML = ['application/json', 'text/html']

const MEDIA: readonly Case[] = [
  [null, JSON_HTML, 'application/json', '§12.5.1: without the field, any is accepted'],
  ['text/html', JSON_HTML, 'text/html'],
  ['TEXT/HTML', JSON_HTML, 'text/html', '§8.3.1: names have no case'],
  ['image/png', JSON_HTML, null],
  ['*/*', JSON_HTML, 'application/json', 'among equals the first offered'],
  ['text/*, application/json;q=0.5', JSON_HTML, 'text/html'],
  ['text/html;q=0.4, application/json;q=0.5', JSON_HTML, 'application/json', '§12.4.2: weights'],
  ['text/html;q=0.001, */*;q=0', JSON_HTML, 'text/html'],
  ['text/html;q=0, */*', JSON_HTML, 'application/json', '§12.4.2: 0 is not acceptable'],
  ['text/html;q=0', ['text/html'], null],
  ['text/*;q=0.3, text/plain;q=0.7, */*;q=0.5', ['image/jpeg', 'text/html'], 'image/jpeg'],
  ['text/*;q=0.3, text/plain;q=0.7, */*;q=0.5', ['text/html', 'text/plain'], 'text/plain'],
  ['text/html;level=1, text/html;q=0.7', ['text/html', 'text/html;level=1'], 'text/html;level=1'],
  ['text/html;level=2;q=0.4', ['text/html'], null, 'a parameter must be there'],
  ['text/html;level="1";q=0.4', ['text/html;level="1"'], 'text/html;level="1"'],
  ['a/b;x="q=0,;\\",", text/html', ['text/html'], 'text/html', '§5.6.4: quotes separate nothing'],
  ['text/html;q=1;ext=1', ['text/html'], 'text/html', 'what follows the weight says nothing'],
  [
    'text/html;q=2, application/json;q=0.1',
    JSON_HTML,
    'application/json',
    'malformed ones ignored',
  ],
  ['text/html;q=, text/html;q=x, text/html;q=-1, */json, /, a b', ['x/y'], null],
  [
    'text/html;q=0.1234',
    JSON_HTML,
    'application/json',
    'nothing well-formed: as without the field',
  ],
  ['', JSON_HTML, 'application/json'],
  [',,;,', JSON_HTML, 'application/json'],
  ['text/html, */*; q=.2', ['image/png'], 'image/png', 'as a client that is everywhere sends'],
  ['text/html', [], null],
]

const LANGUAGES: readonly Case[] = [
  [null, ['en', 'de'], 'en'],
  ['da, en-GB;q=0.8, en;q=0.7', ['en', 'da'], 'da'],
  ['en', ['de', 'en-GB'], 'en-GB', 'RFC 4647 §3.3.1: a range covers what is below it'],
  ['en', ['english'], null],
  ['de-CH, en;q=0.5', ['en', 'de'], 'de', 'RFC 4647 §3.4: a language without the region'],
  ['en-US;q=0.5, en;q=0', ['en'], null, 'what is named decides'],
  ['en-US;q=0, *', ['en-US', 'en'], 'en', 'who refuses a region has not refused the language'],
  ['en-US;q=0', ['en-US'], null],
  ['*;q=0.1, fr', ['de', 'fr-CA'], 'fr-CA'],
  ['FR-ca', ['fr-CA'], 'fr-CA'],
  ['fr', ['de'], null],
]

const CODINGS: readonly Case[] = [
  [null, ['br', 'identity'], 'identity', 'without the field nothing is coded'],
  [null, ['br'], null],
  ['', ['br', 'identity'], 'identity', '§12.5.3: an empty field wants identity'],
  ['gzip;q=x', ['gzip', 'identity'], 'identity', 'nothing well-formed'],
  ['gzip, br', ['br', 'gzip'], 'br'],
  ['gzip;q=1.0, br;q=0.5, *;q=0', ['br', 'gzip', 'zstd'], 'gzip'],
  ['x-gzip', ['gzip'], 'gzip', '§8.4.1.3: an old name'],
  ['*', ['zstd', 'identity'], 'zstd'],
  ['br;q=0, *', ['br', 'gzip'], 'gzip'],
  ['deflate', ['br', 'identity'], 'identity', '§12.5.3: acceptable unless excluded'],
  ['deflate, identity;q=0', ['br', 'identity'], null],
  ['deflate, *;q=0', ['br', 'identity'], null],
  ['*;q=0, identity;q=0.1', ['br', 'identity'], 'identity'],
  ['gzip;q=0', ['gzip'], null],
  ['identity, gzip;q=0.5', ['gzip', 'identity'], 'identity'],
  ['gzip;q=0.3, *;q=0.5', ['identity', 'gzip'], 'gzip', 'who lists codings wants one'],
]

for (const [name, negotiate, cases] of [
  ['Accept', accepts, MEDIA],
  ['Accept-Language', acceptsLanguage, LANGUAGES],
  ['Accept-Encoding', acceptsEncoding, CODINGS],
] as const) {
  t.test(`RFC 9110 §12.5: ${name}`, async (t) => {
    for (const [field, offers, chosen, why = ''] of cases) {
      t.equal(negotiate(withField(name, field), offers), chosen, `${field}: ${offers} ${why}`)
    }
  })

  t.test(`${name}: whatever a client sends, one of the offers is chosen or none`, async () => {
    const offers = ['text/html', 'en', 'gzip', 'identity']
    const piece = fc.constantFrom(...'*/;,=q."\\ -x0199'.split(''), 'text/html', 'en', 'gzip')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const chosen = negotiate(withField(name, pieces.join('')), offers)
        return chosen === null || offers.includes(chosen)
      }),
    )
  })
}

t.test('RFC 9110 §12.5.3: all codings that are taken, best first', async (t) => {
  const rank = (field: string | null): string[] =>
    rankEncodings(withField('Accept-Encoding', field), ['br', 'gzip', 'Identity'])
  t.same(rank('gzip, br;q=0.5'), ['gzip', 'br', 'Identity'])
  t.same(rank('identity;q=0.7, gzip, br;q=0.5'), ['gzip', 'Identity', 'br'])
  t.same(rank('*;q=0.5, identity;q=0'), ['br', 'gzip'])
  t.same(rank('*;q=0'), [])
  t.same(rank(null), ['Identity'])
})

t.test('a standard Request can be asked too', async (t) => {
  const request = new Request('http://a/', { headers: { accept: 'text/html' } })
  t.equal(accepts(request, JSON_HTML), 'text/html')
})

t.test('a field of many ranges costs no more than its length', async (t) => {
  const start = performance.now()
  const field = `${'a/b;q=0.1,'.repeat(5000)}${'"'.repeat(999)}`
  t.equal(accepts(withField('Accept', field), ['x/y', 'text/html']), null)
  t.ok(performance.now() - start < 5000)
})
