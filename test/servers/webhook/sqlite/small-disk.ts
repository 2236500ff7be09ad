// A disk of a given size, in memory, for tests that fill it. Mounting one takes root.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';

/** Why a test that mounts a disk is skipped; false where it is not. */
export const notRoot = process.getuid?.() !== 0 && 'mounting a small disk takes root';

/** @param size as tmpfs takes it: 64k, 2m */
export function smallDisk(t: TestContext, size: string) {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder]);
  t.onTestFinished(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  });
  return {
    folder,
    file: join(folder, 'store.db'),
    grow: (to: string) => void execFileSync('mount', ['-o', `remount,size=${to}`, folder]),
  };
}
