// Writes the reference page of target files: examples, and every key in a table.

import { targetSchema } from '../../core/target/target.ts';
import { examplesOf, shown } from './examples.ts';
import { isBelow, keyTable, pathBelow, topTable } from './key-table.ts';
import { keysOf, mergedKeys, nodeOf, type Key, type Node } from './keys.ts';
import { contents, page, sentence } from './markdown.ts';

export function targetNode(): Node {
  return nodeOf(targetSchema, 'input');
}

const [examples, allKeys] = ['Examples', 'All keys'] as const;

/** The page `target.md`. */
export function targetPage(): string {
  const all = mergedKeys(keysOf(targetNode()));
  const top = all.filter(({ path }) => !path.includes('.'));
  const sections = top.filter(({ path }) => all.some(isBelow(path)));
  return page('Target files, key by key', [
    'A target file says where a system is that is not ours, and how to speak to it. This page lists every ' +
      'key; [targets](../targets.md) says how a system is measured. `pushbench target check FILE` tries it ' +
      'out, and editors check it against [the schema](../../schema/target.schema.json).',
    contents([examples, allKeys, ...sections.map(({ path }) => path)]),
    `## ${examples}`,
    ...examplesOf('target').flatMap(shown),
    `## ${allKeys}`,
    topTable(top, sections),
    '`${NAME}` in a header, a path, a body or a message is a variable of the environment. Files that it ' +
      'names are found beside it.',
    ...sections.flatMap((key) => [`## ${key.path}`, sentence(key.says), ...tablesOf(key, all)]),
  ]);
}

/** One table, or one for each pattern below it. */
function tablesOf(key: Key, all: readonly Key[]): string[] {
  const below = all.filter(isBelow(key.path));
  const direct = below.filter((one) => !pathBelow(one, key.path).includes('.'));
  const maps = direct.filter(({ path }) => all.some(isBelow(path)));
  if (maps.length < 2) return [keyTable(below, key.path)];
  return [
    keyTable(direct, key.path),
    ...maps.flatMap((one) => [
      `### ${pathBelow(one, key.path)}`,
      keyTable(all.filter(isBelow(one.path)), one.path),
    ]),
  ];
}
