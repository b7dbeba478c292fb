import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { type DurationSeries, MetricsBlock } from '../src/metrics-block.ts'
import { RequestTiming } from '../src/request-timing.ts'

const get = (route: string | null): { method: string; route: string | null } => ({
  method: 'GET',
  route,
})

function total(series: DurationSeries | undefined): number {
  return series === undefined ? 0 : series.counts.reduce((sum, count) => sum + count, 0)
}

function names(block: MetricsBlock): string[] {
  return block
    .series()
    .map((series) => `${series.method} ${series.route} ${series.status} ${total(series)}`)
}

t.test('a request counts under its route, method and class of status', async (t) => {
  const block = MetricsBlock.create(1, 100)
  const timing = new RequestTiming(block.seat(0))
  const at = (): number => performance.now() - 3
  timing.requestEnded(get('/users/:id'), 200, at())
  timing.requestEnded(get('/users/:id'), 204, at())
  timing.requestEnded(get('/users/:id'), 404, at())
  timing.requestEnded({ method: 'POST', route: '/users' }, 503, at())
  timing.requestEnded({ method: 'POST', route: '/users' }, 0, at())
  t.strictSame(names(block), [
    'POST /users 5xx 1',
    'POST /users none 1',
    'GET /users/:id 2xx 2',
    'GET /users/:id 4xx 1',
  ])
  const sums = block.series().map(({ sumMs }) => sumMs)
  t.ok(
    sums.every((sum) => sum >= 3),
    `${sums}`,
  )
  t.equal(
    block.fineCounts().reduce((sum, count) => sum + count, 0),
    5,
  )
})

t.test('prevents labels that a client makes up: methods and paths without a route', async (t) => {
  const block = MetricsBlock.create(1, 100)
  const timing = new RequestTiming(block.seat(0))
  for (const method of ['BREW', 'get', 'PROPFIND', 'GET', 'PATCH']) {
    timing.requestEnded({ method, route: null }, 404, performance.now())
  }
  t.strictSame(names(block), [
    'GET unmatched 4xx 1',
    'PATCH unmatched 4xx 1',
    'other unmatched 4xx 3',
  ])
})

t.test('past the bound on series, further ones are counted as others', async (t) => {
  const block = MetricsBlock.create(1, 10)
  const timing = new RequestTiming(block.seat(0))
  const end = (index: number, status = 200): void =>
    timing.requestEnded(get(`/${index}`), status, performance.now())
  for (let index = 1; index <= 4; index++) end(index)
  t.strictSame(names(block), ['GET /1 2xx 1', 'GET /2 2xx 1', 'GET /3 2xx 1', 'GET /4 2xx 1'])
  end(5)
  t.equal(names(block).at(-1), 'other other 2xx 1')
  for (let index = 6; index < 500; index++) end(index, 100 + (index % 6) * 100)
  const counts = names(block)
  t.equal(counts.length, 4 + 6, counts.join('; '))
  t.equal(block.seat(0).count, 10)
  t.equal(
    block.series().reduce((sum, series) => sum + total(series), 0),
    499,
    'none is lost',
  )
  end(1)
  t.equal(names(block)[0], 'GET /1 2xx 2', 'those that there were go on')
})

t.test('requests of one batch share a duration, to the end of the batch', async (t) => {
  const block = MetricsBlock.create(1, 1000)
  const timing = new RequestTiming(block.seat(0))
  const counted = (): number => block.series().reduce((sum, series) => sum + total(series), 0)
  timing.requestBegan()
  const startMs = timing.batchStartMs
  for (let index = 0; index < 900; index++) {
    timing.requestBegan()
    timing.requestAnswered(get(`/${Math.floor(index / 2)}`), 200)
  }
  t.equal(timing.batchStartMs, startMs)
  t.equal(counted(), 512, 'no more wait than there is room for')
  timing.requestEnded(get('/earlier'), 200, startMs - 1000)
  t.equal(counted(), 513, 'one that began earlier does not wait')
  timing.batchEnded()
  t.equal(counted(), 901)
  timing.batchEnded()
  t.equal(counted(), 901)
  t.ok(
    block
      .series()
      .every(
        ({ route, counts }) => route === '/earlier' || total({ counts } as DurationSeries) === 2,
      ),
  )
  while (performance.now() === startMs);
  timing.requestBegan()
  t.not(timing.batchStartMs, startMs, 'the next batch has a time of its own')
})

t.test('the next thread in a seat goes on with its series', async (t) => {
  const block = MetricsBlock.create(1, 20)
  const first = new RequestTiming(block.seat(0))
  first.requestEnded(get('/a'), 200, performance.now())
  first.requestEnded(get(null), 404, performance.now())
  const next = new RequestTiming(MetricsBlock.open(block.buffer).seat(0))
  next.requestEnded(get('/a'), 200, performance.now())
  next.requestEnded(get(null), 404, performance.now())
  t.strictSame(names(block), ['GET /a 2xx 2', 'GET unmatched 4xx 2'])
  t.equal(block.seat(0).count, 2)
})

t.test('also with those of a route that its label cuts', async (t) => {
  const block = MetricsBlock.create(1, 100)
  const route = `/${'é'.repeat(200)}`
  for (let thread = 0; thread < 3; thread++) {
    const timing = new RequestTiming(block.seat(0))
    timing.requestEnded(get(route), 200, performance.now())
    timing.requestEnded(get('/'), 200, performance.now())
    timing.requestEnded(get(route), 200, performance.now())
  }
  t.equal(block.seat(0).count, 2)
  t.strictSame(names(block).sort(), [`GET / 2xx 3`, `GET /${'é'.repeat(125)} 2xx 6`])
})

t.test('also when there is none left but for others', async (t) => {
  const block = MetricsBlock.create(1, 10)
  for (let life = 0; life < 5; life++) {
    const timing = new RequestTiming(block.seat(0))
    for (let index = 0; index < 10; index++) {
      timing.requestEnded(get(`/${index}`), 200, performance.now())
    }
  }
  t.strictSame(names(block).at(-1), 'other other 2xx 30')
  t.equal(block.seat(0).count, 5)
})

t.test('routes of any text and length come back, cut at a whole character', async (t) => {
  const block = MetricsBlock.create(1, 20)
  const timing = new RequestTiming(block.seat(0))
  for (const route of ['/ü/"\\\n', `/${'€'.repeat(200)}`, '/']) {
    timing.requestEnded(get(route), 200, performance.now())
  }
  t.strictSame(
    block.series().map(({ route }) => route),
    ['/', '/ü/"\\\n', `/${'€'.repeat(83)}`].sort(),
  )
})

t.test('series of all seats are added up exactly, while other threads count', async (t) => {
  const seats = 3
  const requests = 50_000
  const block = MetricsBlock.create(seats, 50)
  const source = `
    import { workerData } from 'node:worker_threads'
    const { MetricsBlock } = await import(workerData.block)
    const { RequestTiming } = await import(workerData.timing)
    const timing = new RequestTiming(MetricsBlock.open(workerData.buffer).seat(workerData.seat))
    for (let index = 0; index < ${requests}; index++) {
      const request = { method: 'GET', route: '/' + (index % (2 + workerData.seat)) }
      timing.requestBegan()
      timing.requestAnswered(request, 200)
      if (index % 16 === 15) timing.batchEnded()
    }
    timing.batchEnded()`
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
  const ended = Array.from({ length: seats }, (_, seat) => {
    const workerData = {
      seat,
      buffer: block.buffer,
      block: new URL('../src/metrics-block.ts', import.meta.url).href,
      timing: new URL('../src/request-timing.ts', import.meta.url).href,
    }
    return once(new Worker(url, { workerData }), 'exit')
  })
  t.strictSame((await Promise.all(ended)).flat(), [0, 0, 0])
  const counts = new Map(block.series().map((series) => [series.route, total(series)]))
  t.equal(
    [...counts.values()].reduce((sum, count) => sum + count, 0),
    seats * requests,
  )
  t.equal(counts.get('/3'), requests / 4)
  t.equal(
    block.fineCounts().reduce((sum, count) => sum + count, 0),
    seats * requests,
  )
})
