// Times `pushbench compare` on a hundred trials, the start of its process included.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Result, Trial } from '../../core/result/result.ts';
import { median } from '../../core/base/median.ts';
import { formatBytes, formatUs } from '../../core/base/units.ts';
import { processes } from '../../harness/trial/fleet.ts';
import { table, type Part } from './part.ts';
import { compared } from './trials.ts';

/** On each side. */
const trials = 50;
const limitUs = 2e6;
const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export const compareSpeed: Part = {
  title: 'Comparing a hundred trials',
  async run(quick) {
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-speed-'));
    try {
      const { baseline, candidate } = await compared({ pairs: 1, seed: 600, candidate: processes });
      const files = Object.entries({ baseline, candidate }).map(([name, result], arm) => {
        mkdirSync(join(folder, name));
        const file = join(folder, name, 'result.json');
        writeFileSync(file, `${JSON.stringify(repeated(result, arm), null, 1)}\n`);
        return file;
      });
      const commands: [string, string[]][] = [
        ['the table', []],
        [
          'the table, page, Markdown and JUnit',
          [
            '--html',
            join(folder, 'x.html'),
            '--markdown',
            join(folder, 'x.md'),
            '--junit',
            join(folder, 'x.xml'),
          ],
        ],
      ];
      const rows = commands.map(([what, more]) => ({
        what,
        tookUs: timed(['compare', ...files, ...more], quick ? 2 : 9),
      }));
      const [plain] = rows;
      const medianUs = median(plain!.tookUs); // there are two
      return {
        claims: [
          {
            text:
              `${formatUs(medianUs)} from the start of the process to its end (at most ` +
              `${formatUs(limitUs)} is wanted)`,
            held: medianUs <= limitUs,
          },
        ],
        markdown:
          `One measured trial of either side, written ${trials} times into each of ` +
          `two results of ${formatBytes(statSync(files[0]!).size)}.\n\n` +
          `${table(
            ['what is written', 'median of the calls', 'fastest', 'slowest'],
            rows.map(({ what, tookUs }) => [
              what,
              ...[median(tookUs), Math.min(...tookUs), Math.max(...tookUs)].map(formatUs),
            ]),
          )}`,
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** The same trial many times, in turns with the other arm's. */
function repeated(result: Result, arm: number): Result {
  const [trial] = result.trials;
  if (!trial) throw new Error('no trial came to its end');
  return {
    ...result,
    trials: Array.from({ length: trials }, (_, i): Trial => ({
      ...trial,
      repetition: i + 1,
      startedAt: new Date(Date.UTC(2026, 0, 1, 0, i, (i + arm) % 2 === 0 ? 0 : 30)).toISOString(),
    })),
  };
}

/** Microseconds of each of several calls. */
function timed(args: readonly string[], calls: number): number[] {
  return Array.from({ length: calls }, () => {
    const from = performance.now();
    execFileSync(process.execPath, [main, ...args], { stdio: 'ignore' });
    return (performance.now() - from) * 1000;
  });
}
