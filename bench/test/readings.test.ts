import t from 'tap'
import { parseCpuMicroseconds } from '../src/cpu-time.ts'
import { median, spread } from '../src/median.ts'
import { parseWrk } from '../src/wrk.ts'

// Printed by wrk 4.1.0, asking for what is not there, against a server killed halfway.
const WITH_ERRORS = `Running 2s test @ http://127.0.0.1:8097/nope
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   358.89us    1.14ms  22.71ms   95.58%
    Req/Sec    41.36k    14.01k   55.42k    80.00%
  41309 requests in 2.00s, 3.31MB read
  Socket errors: connect 0, read 15, write 51411, timeout 0
  Non-2xx or 3xx responses: 41309
Requests/sec:  20608.19
Transfer/sec:      1.65MB
`
// Printed by wrk 4.1.0 for a run in which all went well.
const WITHOUT_ERRORS = `Running 1s test @ http://127.0.0.1:8098/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   676.09us    1.68ms  21.38ms   92.32%
    Req/Sec    31.27k    14.14k   45.41k    70.00%
  31144 requests in 1.00s, 3.86MB read
Requests/sec:  31096.02
Transfer/sec:      3.86MB
`

t.test('wrk: requests, rate and every kind of error are read', async (t) => {
  t.same(parseWrk(WITH_ERRORS), {
    requests: 41_309,
    requestsPerSecond: 20_608.19,
    errors: 15 + 51_411 + 41_309,
  })
  t.same(parseWrk(WITHOUT_ERRORS), { requests: 31_144, requestsPerSecond: 31_096.02, errors: 0 })
})

t.test('wrk: anything else is an error, not a result', async (t) => {
  t.throws(() => parseWrk('unable to connect to 127.0.0.1:8090 Connection refused'))
})

t.test('/proc/PID/stat: a name with spaces and parentheses shifts no field', async (t) => {
  const rest = 'S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 11 0 5 1 1 1'
  t.equal(parseCpuMicroseconds(`4242 (a b) c) ${rest}`), 3_000_000)
  t.throws(() => parseCpuMicroseconds('4242 (a) S 1'))
})

t.test('median and spread', async (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.ok(Number.isNaN(median([])))
  t.equal(spread([0.5, 0.25]), '0.250 to 0.500')
})
