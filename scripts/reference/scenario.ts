// Writes the reference page of scenario files: one whole example, every key in a table of its section, and
// further examples, so that every key stands in one.

import { patterns } from '../../core/pattern/registry.ts';
import { scenarioSchema } from '../../core/scenario/scenario.ts';
import { examplesOf, shown } from './examples.ts';
import { isBelow, keyTable, pathBelow, topTable } from './key-table.ts';
import { branchesOf, formOf, keysOf, mergedKeys, nodeOf, type Key, type Node } from './keys.ts';
import { contents, page, sentence, table } from './markdown.ts';

export function scenarioNode(): Node {
  return nodeOf(scenarioSchema(patterns), 'input');
}

const [whole, howWritten, allKeys] = ['A whole example', 'How values are written', 'All keys'] as const;

/** The page `scenario.md`. */
export function scenarioPage(): string {
  const node = scenarioNode();
  const all = keysOf(node);
  const top = all.filter(({ path }) => !/[.[]/.test(path));
  const examples = examplesOf('scenario');
  const shownIn = (section: string) => examples.filter((one) => one.section === section).flatMap(shown);
  const sections = top.filter(({ path }) => all.some(isBelow(path)));
  return page('Scenario files, key by key', [
    'A scenario says who subscribes to what, what is published when, what goes wrong and what must hold. ' +
      'This page lists every key; [scenarios in full](../scenarios.md) says what they are for. ' +
      '`pushbench validate FILE` names every mistake in a file with its line. Editors check files against ' +
      '[the schema](../../schema/scenario.schema.json); only `validate` notices values that contradict ' +
      'each other.',
    contents([whole, howWritten, allKeys, ...sections.map(({ path }) => path)]),
    `## ${whole}`,
    ...shownIn('whole'),
    `## ${howWritten}`,
    ...written,
    `## ${allKeys}`,
    'A key without a default may be left out, unless it is required.',
    topTable(top, sections),
    ...sections.flatMap((key) => [`## ${key.path}`, ...sectionOf(key, node, all), ...shownIn(key.path)]),
  ]);
}

const written = [
  table(
    ['type', 'written as', 'units'],
    [
      ['duration', '`250ms`, `1.5s`', '`us`, `ms`, `s`, `m`, `h`, `d`'],
      ['rate', '`200/s`, `6/m`; of topics also `0.5/s each`', '`/ms`, `/s`, `/m`, `/h`, `/d`'],
      ['size', '`256B`, `4kB`, `1KiB`', '`B`, `kB`, `MB`, `GB` (1000), `KiB`, `MiB`, `GiB` (1024)'],
      ['bytes a second', '`2MB/s`', 'a size and `/s`'],
      ['share', '`10%`', '`%`'],
    ],
  ),
  'In paths `NAME` stands for a name that you choose, `PATH` for the path of a value in the scenario ' +
    '(such as `topics.news.publish`), `METRIC` for [a metric](metrics.md), and `[]` for an entry of a list.',
];

function sectionOf(key: Key, node: Node, all: readonly Key[]): string[] {
  if (key.path === 'variants') return [sentence(key.says), ...variantSections(all)];
  // It is one of them.
  if (key.path === 'faults') return [sentence(key.says), ...faultSections(node.properties![key.path]!, all)];
  const below = mergedKeys(all.filter(isBelow(key.path)));
  const rows = below.map((one) => (isOneForm(one) ? { ...one, default: 'one form' } : one));
  return [sentence(key.says), keyTable(rows, key.path)];
}

/** The key that makes a map one of its forms: it is required there, and the others are without it. */
function isOneForm({ path, form, default: given }: Key): boolean {
  return form !== '' && given === 'required' && path.endsWith(`.${form}`);
}

/** A part for each pattern, as there are many options. */
function variantSections(all: readonly Key[]): string[] {
  const entry = 'variants[]';
  const own = all.filter(({ path }) => path.startsWith(`${entry}.`));
  const direct = own.filter((key) => !pathBelow(key, entry).includes('.'));
  const patternKeys = direct.filter(({ path }) => own.some(isBelow(path)));
  return [
    'An entry is the name of a pattern, or a map of one pattern with its options.',
    keyTable(direct, entry),
    ...patternKeys.flatMap((key) => [
      `### Options of ${pathBelow(key, entry)}`,
      keyTable(own.filter(isBelow(key.path)), key.path),
    ]),
  ];
}

/** A part for each fault, by the word that asks for it. */
function faultSections(node: Node, all: readonly Key[]): string[] {
  const entry = 'faults[]';
  const maps = branchesOf(node.items ?? {});
  return maps.flatMap((branch) => {
    const word = formOf(branch, maps);
    const own = all.filter(({ path, form }) => path.startsWith(`${entry}.`) && form === word);
    return [`### Fault ${word}`, keyTable(own, entry)];
  });
}
