// Draws the keys of files that people write as tables.

import type { Key } from './keys.ts';
import { code, slugOf, table } from './markdown.ts';

const columns = ['key', 'type', 'values', 'default', 'meaning'];
const cellsOf = (key: Key) => [key.type, key.values, key.default, key.says];

/** The keys of a file at its top, those with a section of their own as links to it. */
export function topTable(keys: readonly Key[], sections: readonly Key[]): string {
  return table(
    columns,
    keys.map((key) => [
      sections.includes(key) ? `[${code(key.path)}](#${slugOf(key.path)})` : code(key.path),
      ...cellsOf(key),
    ]),
  );
}

/** Keys by their paths below `prefix`. */
export function keyTable(keys: readonly Key[], prefix: string): string {
  return table(
    columns,
    keys.map((key) => [code(pathBelow(key, prefix)), ...cellsOf(key)]),
  );
}

export function pathBelow({ path }: Key, prefix: string): string {
  return path.slice(prefix.length).replace(/^\./, '');
}

/** Whether a key lies below the one at `prefix`. */
export function isBelow(prefix: string): (key: Key) => boolean {
  return ({ path }) => path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`);
}
