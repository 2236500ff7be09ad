// Reads the files in which Linux describes itself and its processes (/proc, /sys). All of them are read here,
// so that tests can imitate another machine, or a system without such files.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Each returns undefined where there is no such file, or it must not be read. */
export type SystemFiles = {
  read(path: string): string | undefined;
  list(folder: string): string[] | undefined;
  /** Where a symbolic link points. */
  link(path: string): string | undefined;
};

export const systemFiles: SystemFiles = {
  read: (path) => attempt(() => readFileSync(path, 'utf8')),
  list: (folder) => attempt(() => readdirSync(folder)),
  link: (path) => attempt(() => readlinkSync(path)),
};

/** Whether there is a /proc as Linux has it; macOS has none. */
export function hasProc(files: Pick<SystemFiles, 'read'> = systemFiles): boolean {
  return files.read('/proc/self/stat') !== undefined;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
