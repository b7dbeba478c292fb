// Packs the public packages and checks what a user's resolver and compiler will find in them:
// publint for the manifest and files, "are the types wrong" for how types resolve.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { packPackages } from './pack-packages.mjs'

/**
 * Findings that follow from being ESM only, for Node 24 and later, which can `require` ESM: the
 * checker reports them for CommonJS users and for the resolution of Node before `exports`.
 */
const ESM_ONLY_KINDS = new Set(['CJSResolvesToESM'])
const OLD_RESOLUTION = 'node10'

/** @param {Buffer} tarball */
async function typeProblems(tarball) {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)))
  if (!result.types) return ['the package has no types']
  return result.problems
    .filter((problem) => !ESM_ONLY_KINDS.has(problem.kind))
    .filter(
      (problem) => !('resolutionKind' in problem) || problem.resolutionKind !== OLD_RESOLUTION,
    )
    .map((problem) => `types: ${JSON.stringify(problem)}`)
}

/** @param {Buffer} tarball */
async function manifestProblems(tarball) {
  const data = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength)
  const { messages, pkg } = await publint({ pack: { tarball: /** @type {ArrayBuffer} */ (data) } })
  return messages
    .filter((message) => message.type !== 'suggestion')
    .map((message) => `${message.type}: ${formatMessage(message, pkg, { color: false })}`)
}

const folder = mkdtempSync(join(tmpdir(), 'rr-exports-'))
try {
  for (const { name, tarball } of packPackages(folder)) {
    const data = readFileSync(tarball)
    const problems = [...(await manifestProblems(data)), ...(await typeProblems(data))]
    console.log(`${name}: ${problems.length === 0 ? 'fine' : `${problems.length} problems`}`)
    for (const problem of problems) console.error(`${name}: ${problem}`)
    if (problems.length > 0) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
