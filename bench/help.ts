// Times the command line until it answers, as the package is installed (built) and from source.

import { spawnSync } from 'node:child_process';
import { median } from '../core/base/median.ts';

export async function main(): Promise<void> {
  spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  for (const [name, file] of [
    ['the package', 'dist/cli/main.js'],
    ['the source', 'cli/main.ts'],
  ] as const) {
    // The first start fills the compile cache, as it does for a user.
    const ms = Array.from({ length: 8 }, () => {
      const from = performance.now();
      spawnSync(process.execPath, [file, '--help'], { stdio: 'ignore' });
      return performance.now() - from;
    }).slice(1);
    console.log(
      `pushbench --help, ${name}: ${Math.round(median(ms))} ms, median of ${ms.length} (bound: 300 ms)`,
    );
  }
}
