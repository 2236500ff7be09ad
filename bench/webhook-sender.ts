// Measures CPU per delivery of the webhook server, durable and signed, against the plainest sender there is:
// undici in a loop, without a queue, a signature or a log. Bound: at most 2.5 times its CPU with the SQLite
// store.

import { fork } from 'node:child_process';
import { rounds, spread, startProgram } from './tools.ts';

const deliveries = '20000';

export async function main(): Promise<void> {
  const receiver = fork('bench/webhook-receiver.ts', { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const text = await new Promise<string>((resolve) =>
    receiver.stdout!.setEncoding('utf8').once('data', resolve),
  );
  const { port } = JSON.parse(text) as { port: number };
  const found: Record<string, { cpuUs: number; perS: number }[]> = { plain: [], memory: [], sqlite: [] };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const kind of Object.keys(found)) {
        const { result } = startProgram(process.execPath, [
          'bench/webhook-sender-child.ts',
          kind,
          String(port),
          deliveries,
        ]);
        found[kind]!.push((await result) as { cpuUs: number; perS: number });
      }
    }
  } finally {
    receiver.disconnect();
  }
  const cpu = (kind: string) => found[kind]!.map(({ cpuUs }) => cpuUs);
  for (const kind of Object.keys(found)) {
    console.log(
      `${kind}: ${spread(cpu(kind), 0)} µs CPU per delivery, ${spread(
        found[kind]!.map(({ perS }) => perS),
        0,
      )} deliveries/s`,
    );
  }
  for (const kind of ['memory', 'sqlite']) {
    console.log(
      `${kind} against plain: ratio ${spread(cpu(kind).map((value, i) => value / cpu('plain')[i]!))}` +
        (kind === 'sqlite' ? ' (bound: 2.5)' : ''),
    );
  }
}
