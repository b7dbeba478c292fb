import t from 'tap'
import { descriptorShortage, readProcessLimits } from '../src/descriptor-limit.ts'

const limits = (soft: string): string =>
  [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             1                    1                    processes ',
    `Max open files            ${soft.padEnd(20)} 1048576              files     `,
  ].join('\n')

t.test('a limit is enough from maxConnections and 100 more on', async (t) => {
  t.match(descriptorShortage(1000, limits('1099')), /may open 1099 files, and 1000 connections/)
  t.equal(descriptorShortage(1000, limits('1100')), null)
  t.equal(descriptorShortage(1000, limits('1101')), null)
})

t.test('no limit, or none that is told, is enough', async (t) => {
  t.equal(descriptorShortage(10_000_000, limits('unlimited')), null)
  t.equal(descriptorShortage(10_000_000, null), null)
  t.equal(descriptorShortage(10_000_000, 'something else'), null)
})

t.test('this process has limits where /proc is', { skip: skipReason() }, async (t) => {
  t.match(readProcessLimits(), /^Max open files/m)
})

function skipReason(): string | false {
  return process.platform === 'linux' ? false : '/proc/self/limits is of Linux'
}
