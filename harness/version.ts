// The version of this package, from its package.json.

import { existsSync, readFileSync } from 'node:fs';

// From the repository the file is one folder up, from the built package two.
const beside = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url))!;

export const version = (JSON.parse(readFileSync(beside, 'utf8')) as { version: string }).version;
