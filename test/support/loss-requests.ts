import { echoRequest, getRequest, type LossRequest } from './loss-connection.ts'

/** More than a socket takes at once, so that an answer can be cut in its middle. */
export const LARGE_BODY: string = 'a line of an answer that is long\n'.repeat(8192)

const HELLO = getRequest('/', 'Hello, World!')
const ECHO = echoRequest('/echo', 'a body to be sent back')

/** Short answers for the most part, one in eight that takes time, one that is large, two with a body. */
export const LOSS_REQUESTS: readonly LossRequest[] = [
  HELLO,
  ECHO,
  HELLO,
  getRequest('/slow', 'slow answer'),
  HELLO,
  ECHO,
  HELLO,
  getRequest('/large', LARGE_BODY),
]

/** The same without those that must not be sent twice. */
export const SAFE_REQUESTS: readonly LossRequest[] = LOSS_REQUESTS.filter(
  (request) => request !== ECHO,
)
