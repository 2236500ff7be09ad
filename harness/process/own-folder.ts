// Makes a folder for temporary files that goes with this process, even where the process is killed and can
// remove nothing itself.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// A line says that the folder has been removed. If none comes, the harness has ended, and its processes are
// just being ended: wait for those that still write there.
const script =
  'read line && exit; for round in 1 2 3 4 5 6 7 8 9 10; do ' +
  'rm -rf "$0"; sleep 0.3; [ -e "$0" ] || exit; done';

export type OwnFolder = { path: string; remove(): Promise<void> };

/** @param prefix of its name */
export async function ownFolder(prefix: string): Promise<OwnFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  const keeper = spawn('sh', ['-c', script, path], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  keeper.on('error', () => {}).unref(); // no shell: then a killed process leaves its folder
  keeper.stdin.on('error', () => {}); // it has ended
  if (keeper.stdin instanceof Socket) keeper.stdin.unref();
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      keeper.stdin.end('\n');
    },
  };
}
