import { writeFileSync } from 'node:fs'
import { renderConfigurationPage } from './configuration-page.ts'

writeFileSync(new URL('./configuration.md', import.meta.url), renderConfigurationPage())
