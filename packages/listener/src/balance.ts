/** How connections come to workers; `single` where only one worker can listen. */
export type Balance = BalanceMode | 'single'
/** What the option `balance` takes. */
export type BalanceMode = 'reuseport' | 'shared' | 'ports'

/**
 * The way that is possible, nearest to the one that is wanted.
 *
 * @param canReusePort whether the platform has SO_REUSEPORT
 * @param canDuplicate whether a listening socket can be had by several threads
 */
export function chooseBalance(
  wanted: BalanceMode,
  canReusePort: boolean,
  canDuplicate: boolean,
): Balance {
  if (wanted === 'ports' || (wanted === 'shared' && canDuplicate)) return wanted
  return canReusePort ? 'reuseport' : 'single'
}

/**
 * Whether listening sockets are opened with SO_REUSEPORT. With `ports` nobody is to share a port, but
 * where the socket of a worker can't be kept its successor has to listen beside it for a moment.
 */
export function reusesPort(balance: Balance, canReusePort: boolean, canKeep: boolean): boolean {
  return balance === 'reuseport' || (balance === 'ports' && canReusePort && !canKeep)
}
