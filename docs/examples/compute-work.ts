import type { ComputeTask } from '@rr/listener'

/** Counts the primes up to a number, by the sieve of Eratosthenes. */
const countPrimes: ComputeTask<number, number> = (limit) => {
  const isComposite = new Uint8Array(Math.max(0, limit + 1))
  let count = 0
  for (let number = 2; number <= limit; number++) {
    if (isComposite[number] === 1) continue
    count++
    for (let multiple = number * number; multiple <= limit; multiple += number) {
      isComposite[multiple] = 1
    }
  }
  return count
}

export default countPrimes
