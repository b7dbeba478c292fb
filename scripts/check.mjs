// `pnpm check`: format, lint, types and layering, without the tests.

import { finish, runSteps } from './gate-step.mjs'
import { staticSteps } from './static-steps.mjs'

finish(await runSteps(staticSteps))
