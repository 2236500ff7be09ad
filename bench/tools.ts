// Gives the benchmarks what they share: child processes measured from outside, spreads, a publisher at a
// steady rate.

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { nowUs } from '../core/base/clock.ts';
import { median } from '../core/base/median.ts';
import type { LoadSample } from '../core/protocol/control.ts';
import type { LoadPeer } from '../harness/trial/fleet.ts';

export { sleep };

export const rounds = Number(process.env['PUSHBENCH_BENCH_ROUNDS'] ?? 3);

/** `1.23 (1.10 to 1.40)` */
export function spread(values: readonly number[], digits = 2): string {
  return (
    `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ` +
    `${Math.max(...values).toFixed(digits)})`
  );
}

/** User and system CPU time of a process from /proc, in microseconds; ticks of 10 ms. */
export function cpuUsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Starts a program whose last line of output is JSON. */
export function startProgram(
  command: string,
  args: string[],
): { child: ChildProcess; result: Promise<unknown> } {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const result = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const last = text.trim().split('\n').at(-1) ?? '';
      if (code === 0) resolve(JSON.parse(last));
      else reject(new Error(`${command} ended with exit code ${code}: ${text.slice(-500)}`));
    });
  });
  result.catch(() => {}); // awaited by those who want it
  return { child, result };
}

/**
 * The load process's samples at the two ends of a stretch of `seconds`, which begins when the
 * subscribers have settled.
 */
export async function sampleOver(
  load: LoadPeer,
  seconds: number,
): Promise<{ first: LoadSample; last: LoadSample }> {
  const fromUs = nowUs() + 2_000_000;
  const toUs = fromUs + seconds * 1e6;
  const samples: LoadSample[] = [];
  load.on('sample', (sample) => samples.push(sample));
  load.send({
    kind: 'window',
    window: { warmupFromUs: fromUs - 1_000_000, fromUs, toUs, slotUs: 1_000_000 },
  });
  await sleep((toUs - nowUs()) / 1000 + 500);
  const [first, last] = [fromUs, toUs].map((edgeUs) => samples.find(({ sample }) => sample.atUs >= edgeUs));
  if (!first || !last) throw new Error('the load process sent no sample at the ends of the stretch');
  return { first, last };
}

/** Publishes to one topic of our servers at a steady rate until stopped. */
export function publishSteadily(url: string, topic: string, perS: number, body: string): () => void {
  const timer = setInterval(() => {
    const stamp = String(nowUs());
    fetch(`${url}/topics/${topic}`, {
      method: 'POST',
      body,
      headers: { 'pushbench-planned': stamp, 'pushbench-sent': stamp },
    })
      .then((response) => response.arrayBuffer())
      .catch(() => {});
  }, 1000 / perS);
  return () => clearInterval(timer);
}

/** A body of about 128 bytes, so that an event is about 250 on the wire. */
export const body128 = JSON.stringify({ status: 'shipped', pad: 'x'.repeat(96) });
