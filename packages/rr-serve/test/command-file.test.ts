import { readFileSync } from 'node:fs'
import { Script } from 'node:vm'
import t from 'tap'
import { BIN, ServeProcess } from './support/serve-process.ts'

t.test('the command is a script: a Node.js that is too old can read it', async (t) => {
  t.ok(new Script(readFileSync(BIN, 'utf8')), 'no static import, no top-level await')
})

for (const version of ['20.19.0', '24.11.1']) {
  t.test(`on Node.js ${version} it says which it needs: 2`, async (t) => {
    const preload = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`
    const server = new ServeProcess(t, ['app.js'], {
      env: { NODE_OPTIONS: `--import="${preload}"` },
    })
    t.equal(await server.exit, 2)
    t.ok(
      server.stderr.startsWith(
        `rr-serve needs Node.js 24.12 or later; this is Node.js ${version} (`,
      ),
      server.stderr,
    )
    t.equal(server.stdout, '')
  })
}
