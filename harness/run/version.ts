// Reads the version of this package and of the runtime that it asks for, and finds where its files are.

import { existsSync, readFileSync } from 'node:fs';

/** The package's folder: from the repository two folders up, from the built package three. */
export const packageRoot: URL = ['../../', '../../../']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(new URL('package.json', url)))!;

// Our own file.
const about = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
  version: string;
  engines: { node: string };
};

export const { version } = about;

/** The oldest runtime, as `engines` names it: `26.5`. */
export const leastNode = about.engines.node.replace('>=', '');
