import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
}

/** Its `validate` throws with what is wrong. */
type Model = new (manifest: unknown) => { validate(): void }

/**
 * What is wrong with a manifest by Kubernetes' own schemas, in words; none when it is right. The
 * compiled schemas say what is missing or has the wrong type or value. They let unknown fields pass,
 * as the API server does in silence, so the types that come with them are held against the manifest
 * too: an object literal may have no field that its type does not know.
 */
export async function manifestProblems(text: string): Promise<string[]> {
  const problems: string[] = []
  const manifests: Manifest[] = []
  for (const document of parseAllDocuments(text, { uniqueKeys: true })) {
    problems.push(...document.errors.map((error) => error.message))
    manifests.push(document.toJS() as Manifest)
  }
  if (problems.length > 0) return problems
  for (const manifest of manifests) problems.push(...(await schemaProblems(manifest)))
  return [...problems, ...(await typeProblems(manifests))]
}

async function schemaProblems(manifest: Manifest): Promise<string[]> {
  const { apiVersion, kind } = manifest
  try {
    // Each kind is a module of its own; that of a whole group takes seconds to load.
    const models: Record<string, Model> = await import(`kubernetes-models/${apiVersion}/${kind}`)
    new models[kind]!(manifest).validate()
    return []
  } catch (error) {
    return [String(error)]
  }
}

/** The compiler's complaints about the manifests as constants of their types. */
async function typeProblems(manifests: readonly Manifest[]): Promise<string[]> {
  // Within the workspace, where the package is found.
  const cache = join(ROOT, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'manifests-'))
  try {
    const file = join(folder, 'manifests.mts')
    const constants = manifests.map(
      (manifest, n) =>
        `import type { I${manifest.kind} as Kind${n} } from 'kubernetes-models/${manifest.apiVersion}/${manifest.kind}'\n` +
        `export const manifest${n}: Kind${n} = ${JSON.stringify(manifest)}\n`,
    )
    writeFileSync(file, constants.join(''))
    const flags = ['--noEmit', '--strict', '--ignoreConfig', '--skipLibCheck', '--types', '']
    const args = [...flags, '--module', 'nodenext', '--target', 'esnext', file]
    const ended = await promisify(execFile)(join(ROOT, 'node_modules', '.bin', 'tsc'), args, {
      cwd: folder,
    }).catch((error: { stdout: string; stderr: string }) => error)
    const lines = `${ended.stdout}${ended.stderr}`.split('\n')
    return lines.filter((line) => line.includes('error TS'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
