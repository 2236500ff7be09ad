// Reads the version of this package and finds where its files are.

import { existsSync, readFileSync } from 'node:fs';

/** The package's folder: from the repository two folders up, from the built package three. */
export const packageRoot: URL = ['../../', '../../../']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(new URL('package.json', url)))!;

export const version = (
  JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string }
).version;
