// Starts what stands in for Kafka, librdkafka's mock cluster in kcat, and does to it what happens to servers.
// It cannot be started again: it forgets all, and gets another port.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why a test that needs it is skipped; false where it is there. */
export const noKafka =
  spawnSync('kcat', ['-V']).status === 0 ? false : 'kcat is not installed (Debian: apt-get install kcat)';

export type KafkaServer = {
  url: string;
  port: number;
  /** It does nothing any more until `thaw`; its connections stay. */
  freeze(): void;
  thaw(): void;
  /** By SIGKILL. */
  kill(): Promise<void>;
  restart(): Promise<never>;
  stop(): Promise<void>;
};

export async function startKafka(): Promise<KafkaServer> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-kafka-'));
  // It ends with its input, so it holds the other end of that itself.
  const script = 'mkfifo "$0/in" && exec kcat -P -t test -b ignored:1 -X test.mock.num.brokers=1 0<>"$0/in"';
  const child = spawn('sh', ['-c', script, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const port = await new Promise<number>((resolve, reject) => {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const found = /replaced with 127\.0\.0\.1:(\d+)/.exec((said += text));
      if (found) resolve(Number(found[1]));
    });
    child.once('exit', () => reject(new Error(`kcat ended before it was ready: ${said}`)));
  });

  async function end(signal: NodeJS.Signals): Promise<void> {
    child.kill('SIGCONT');
    child.kill(signal);
    await gone;
  }

  return {
    url: `kafka://127.0.0.1:${port}`,
    port,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    restart: () => Promise.reject(new Error('the stand-in for Kafka cannot be started again')),
    async stop() {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
