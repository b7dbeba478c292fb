import cluster from 'node:cluster'

/**
 * Runs a server in as many processes as WORKERS says, by node:cluster as Node documents it: the
 * first process only hands connections out. With one worker there is no second process.
 *
 * @param listen starts the server; resolves to its port once it listens
 */
export async function runWorkers(listen: (port: number) => Promise<number>): Promise<void> {
  const workers = Number(process.env['WORKERS'] ?? 1)
  const port = Number(process.env['PORT'] ?? 0)
  if (workers > 1 && cluster.isPrimary) {
    let listening = 0
    cluster.on('listening', (_, address) => {
      listening += 1
      if (listening === workers) announce(address.port)
    })
    for (let i = 0; i < workers; i++) cluster.fork()
    return
  }
  const boundPort = await listen(port)
  if (cluster.isPrimary) announce(boundPort)
}

const announce = (port: number): void => console.log(`listening on http://127.0.0.1:${port}`)
