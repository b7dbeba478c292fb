import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { APPLICATION_EXTENSIONS, resolveApplicationPath } from '../src/application-path.ts'

t.test('a file by relative path, absolute path or file URL', async (t) => {
  const dir = t.testdir({ 'app #1?.ts': '' })
  const path = `${dir}/app #1?.ts`
  const { href } = pathToFileURL(path)
  t.equal(resolveApplicationPath(path).href, href)
  t.equal(resolveApplicationPath(relative(process.cwd(), path)).href, href)
  t.equal(resolveApplicationPath(href).href, href)
})

t.test('every extension that Node.js runs', async (t) => {
  const dir = t.testdir(Object.fromEntries(APPLICATION_EXTENSIONS.map((ext) => [`app${ext}`, ''])))
  for (const extension of APPLICATION_EXTENSIONS) {
    t.ok(resolveApplicationPath(`${dir}/app${extension}`))
  }
})

t.test('what is no application says so, with its path', async (t) => {
  const dir = t.testdir({ sub: { 'app.ts': '' }, 'app.py': '', app: '' })
  const cases: Record<string, RegExp> = {
    [`${dir}/nope.ts`]: /^there is no file .*nope\.ts$/,
    [`${dir}/app.py/deeper.ts`]: /^there is no file .*deeper\.ts$/,
    [`${dir}/sub`]: /sub is a directory/,
    [`${dir}/app.py`]: /app\.py has the extension \.py; an application is a file with \.ts,/,
    [`${dir}/app`]: /app has no extension/,
    'file://elsewhere/app.ts': /^file:\/\/elsewhere\/app\.ts is not a file URL of this machine$/,
  }
  for (const [path, message] of Object.entries(cases)) {
    t.throws(() => resolveApplicationPath(path), { code: 'RR_APPLICATION_FAILED', message }, path)
  }
})
