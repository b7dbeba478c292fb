import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import type { MultipartForm } from '../src/multipart-form.ts'
import { stream, text } from '../src/response.ts'
import { Conversation } from './support/conversation.ts'
import { FORM_DATA, field, multipartBody } from './support/multipart-body.ts'
import { postMessage } from './support/read-body.ts'
import { deferred, turns } from './support/turns.ts'

/** A folder for temporary files, in which nothing else is. */
function temporaryFolder(t: Test): string {
  const folder = t.testdir()
  const earlier = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  t.teardown(() => {
    if (earlier === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = earlier
  })
  return folder
}

/** Waits for what happens outside the event loop: files that come and go. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !isSo(); turn++) await turns()
}

const BODY = multipartBody([
  field('title', 'héllo'),
  field('file', 'f'.repeat(100_000), '../../etc/passwd'),
  field('title', 'again'),
  field('file', '', 'empty'),
])
const MESSAGE = postMessage({ body: BODY, type: FORM_DATA })

t.test('fields in memory, files in temporary files', async (t) => {
  const folder = temporaryFolder(t)
  const answered = deferred<void>()
  let form: MultipartForm | null = null
  const conversation = new Conversation({
    handler: async (request) => {
      form = await request.multipartForm()
      await answered.promise
      return text('')
    },
  })
  conversation.send(MESSAGE)
  await until(() => form !== null)
  const { fields, files } = form as unknown as MultipartForm
  t.same(
    [...fields],
    [
      ['title', 'héllo'],
      ['title', 'again'],
    ],
  )
  t.match(files, [
    { name: 'file', filename: 'passwd', size: 100_000, contentType: 'application/octet-stream' },
    { name: 'file', filename: 'empty', size: 0 },
  ])
  for (const file of files) {
    t.equal(dirname(file.path), folder)
    t.match(basename(file.path), /^rr-upload-[0-9a-f-]{36}$/, 'whose names are ours')
    t.equal(statSync(file.path).mode & 0o777, 0o600, 'and which nobody else can read')
  }
  t.equal(readFileSync(files[0]?.path ?? '', 'utf8'), 'f'.repeat(100_000))
  answered.resolve()
  await conversation.settle()
  await until(() => readdirSync(folder).length === 0)
  t.same(readdirSync(folder), [], 'which are removed after the answer')
})

t.test('a file that was moved stays', async (t) => {
  const folder = temporaryFolder(t)
  const target = join(t.testdirName, 'kept')
  const conversation = new Conversation({
    handler: async (request) => {
      const { files } = await request.multipartForm()
      await files[0]?.saveTo(target)
      return text('')
    },
  })
  conversation.send(MESSAGE)
  await until(() => conversation.finished === 1)
  await until(() => readdirSync(folder).length === 1)
  t.same(readdirSync(folder), ['kept'])
  t.equal(readFileSync(target, 'utf8'), 'f'.repeat(100_000))
})

const OTHER = '/dev/shm'
const hasOther = existsSync(OTHER) && statSync(OTHER).dev !== statSync('.').dev
const skip = hasOther ? false : `${OTHER} is no other file system here`

t.test('a file is moved to another file system too', { skip }, async (t) => {
  temporaryFolder(t)
  const target = join(mkdtempSync(join(OTHER, 'rr-test-')), 'kept')
  t.teardown(() => rmSync(dirname(target), { recursive: true }))
  const conversation = new Conversation({
    handler: async (request) => {
      const { files } = await request.multipartForm()
      await files[0]?.saveTo(target)
      t.notOk(existsSync(files[0]?.path ?? ''), 'and is no longer where it was')
      return text('')
    },
  })
  conversation.send(MESSAGE)
  await until(() => conversation.finished === 1)
  t.equal(readFileSync(target, 'utf8'), 'f'.repeat(100_000))
  t.equal(statSync(target).mode & 0o777, 0o600)
})

t.test('temporary files are removed', async (t) => {
  await t.test('when the handler throws', async (t) => {
    const folder = temporaryFolder(t)
    const conversation = new Conversation({
      handler: async (request) => {
        const { files } = await request.multipartForm()
        throw new Error(`with ${files.length} files`)
      },
    })
    conversation.send(MESSAGE)
    await until(() => conversation.finished === 1 && readdirSync(folder).length === 0)
    t.same(readdirSync(folder), [])
    t.match(conversation.errors, [{ message: 'with 2 files' }])
  })

  await t.test('when a limit is broken, or the body is malformed, after some files', async (t) => {
    const folder = temporaryFolder(t)
    const bad = [
      postMessage({ body: BODY.replace(/--\r\n$/, '\r\n'), type: FORM_DATA }),
      postMessage({ body: `${BODY.slice(0, -20)}`, type: FORM_DATA }),
      postMessage({
        body: multipartBody([field('a', 'a', 'a'), field('b', 'b'.repeat(70_000))]),
        type: FORM_DATA,
      }),
      postMessage({
        body: multipartBody([field('a', 'a', 'a'), field('b', 'b')]).replace(
          '\r\n\r\nb',
          '\r\n\r\n\0',
        ),
        type: FORM_DATA,
      }),
    ]
    const statuses: number[] = []
    for (const message of bad) {
      const conversation = new Conversation({
        handler: async (request) => {
          await request.multipartForm({ maxFieldBytes: 60_000 })
          return text('')
        },
      })
      conversation.send(message)
      await until(() => conversation.finished === 1 && readdirSync(folder).length === 0)
      statuses.push(...conversation.statuses())
    }
    t.same(statuses, [400, 400, 413, 200])
    t.same(readdirSync(folder), [])
  })

  await t.test('when the client leaves while a file arrives', async (t) => {
    const folder = temporaryFolder(t)
    let error: unknown = null
    const conversation = new Conversation({
      handler: async (request) => {
        await request.multipartForm().catch((thrown: unknown) => {
          error = thrown
        })
        return text('')
      },
    })
    conversation.send(MESSAGE.subarray(0, 50_000))
    await until(() => readdirSync(folder).length === 1)
    t.equal(readdirSync(folder).length, 1)
    conversation.leave()
    await until(() => error !== null && readdirSync(folder).length === 0)
    t.match(error, { code: 'RR_REQUEST_ABORTED' })
    t.same(readdirSync(folder), [])
  })

  await t.test('when the client leaves while the handler works', async (t) => {
    const folder = temporaryFolder(t)
    const working = deferred<void>()
    const conversation = new Conversation({
      handler: async (request) => {
        await request.multipartForm()
        await working.promise
        return text('')
      },
    })
    conversation.send(MESSAGE)
    await until(() => readdirSync(folder).length === 2)
    conversation.leave()
    await until(() => readdirSync(folder).length === 0)
    t.same(readdirSync(folder), [])
    working.resolve()
  })

  await t.test('when they are read after their request has ended', async (t) => {
    const folder = temporaryFolder(t)
    let late: Promise<unknown> = Promise.resolve()
    const conversation = new Conversation({
      handler: (request) => {
        late = Promise.resolve().then(async () => {
          await turns(3)
          return request.multipartForm().catch((error: { code: string }) => error.code)
        })
        return text('')
      },
    })
    await conversation.send(MESSAGE).settle()
    t.equal(await late, 'RR_REQUEST_ABORTED')
    t.same(readdirSync(folder), [])
  })
})

t.test('temporary files are there until a streamed answer is complete', async (t) => {
  const folder = temporaryFolder(t)
  const more = deferred<void>()
  const conversation = new Conversation({
    handler: async (request) => {
      const { files } = await request.multipartForm()
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from('a')
        await more.promise
        yield readFileSync(files[0]?.path ?? '')
      }
      return stream(source())
    },
  })
  conversation.send(MESSAGE)
  await until(() => conversation.output.includes('\r\n\r\n'))
  more.resolve()
  await until(() => conversation.finished === 1)
  t.equal(conversation.responses()[0]?.body.length, 100_001)
  await until(() => readdirSync(folder).length === 0)
  t.same(readdirSync(folder), [])
})

t.test('the access log is told as well', async (t) => {
  temporaryFolder(t)
  const statuses: number[] = []
  const conversation = new Conversation({
    onAccess: ({ status }) => void statuses.push(status),
    handler: async (request) => {
      await request.multipartForm()
      return text('')
    },
  })
  conversation.send(MESSAGE)
  await until(() => conversation.finished === 1)
  t.same(statuses, [200])
})

t.test('a field that is not UTF-8 is refused, as in any form', async (t) => {
  temporaryFolder(t)
  const body = Buffer.from(multipartBody([field('a', '\x01')]))
  body[body.indexOf(1)] = 0xff
  const conversation = new Conversation({
    handler: async (request) => text((await request.multipartForm()).fields.get('a') ?? ''),
  })
  await conversation.send(postMessage({ body, type: FORM_DATA })).settle()
  await until(() => conversation.finished === 1)
  t.same(conversation.statuses(), [400])
})

t.test('a temporary file that cannot be written fails the request, not the server', async (t) => {
  process.env['TMPDIR'] = join(temporaryFolder(t), 'none')
  const conversation = new Conversation({
    handler: async (request) => text(String((await request.multipartForm()).files.length)),
  })
  conversation.send(MESSAGE)
  await until(() => conversation.finished === 1)
  t.same(conversation.statuses(), [500])
  t.match(conversation.errors, [{ code: 'ENOENT' }])
})
