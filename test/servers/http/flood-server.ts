// Runs a server in a process of its own, so that its memory and descriptors can be measured and bounded. Says
// where it is, then answers each message with what it has counted.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { newCounters, type Counters } from '../../../core/result/counters.ts';
import type { Endpoint } from '../../../core/protocol/control.ts';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import { watchSelf } from '../../../core/protocol/self.ts';
import { startServer } from '../../../servers/start.ts';

export type FloodServer = {
  endpoint: Endpoint;
  read(): Promise<Reading>;
  close(): Promise<void>;
};

export type Reading = { rssBytes: number; subscribers: number; counters: Counters };

export type FloodServerOptions = {
  pattern?: PatternName;
  over?: Endpoint['over'];
  limits?: Partial<ServerLimits>;
  /** Files that the process may have open. */
  descriptors?: number;
};

/** Starts the server; close it. */
export async function forkFloodServer(options: FloodServerOptions = {}): Promise<FloodServer> {
  const limit = options.descriptors === undefined ? '' : `ulimit -n ${options.descriptors}; `;
  const child = spawn(
    'sh',
    [
      '-c',
      `${limit}exec "$0" "$@"`,
      process.execPath,
      fileURLToPath(import.meta.url),
      JSON.stringify(options),
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  const [endpoint] = (await once(child, 'message')) as [Endpoint]; // as it is sent below
  return {
    endpoint,
    async read() {
      const answer = once(child, 'message') as Promise<[Reading]>; // as it is sent below
      child.send('read');
      return (await answer)[0];
    },
    async close() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function main(options: FloodServerOptions): Promise<void> {
  const { pattern = 'sse', over = 'h1', limits = {} } = options;
  const schema = patterns[pattern].options;
  const server = await startServer({
    pattern,
    options: schema.parse('over' in schema.shape ? { over } : {}),
    limits: { ...defaultLimits, ...limits },
    seed: 1,
  });
  const self = watchSelf('turns');
  process.on('message', () => {
    const reading: Reading = {
      rssBytes: self().rssBytes,
      subscribers: server.subscribers(),
      counters: { ...newCounters(), ...server.counters() },
    };
    process.send?.(reading);
  });
  process.on('disconnect', () => process.exit());
  process.send?.(server.endpoint);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(JSON.parse(process.argv[2]!) as FloodServerOptions); // written above
