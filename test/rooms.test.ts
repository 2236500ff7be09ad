// Holds the structure: arrows between rooms point down only and in no circle, every file says what it is
// for, and none is too long or too wide.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'vitest';

/** The rooms each room may import from. */
const arrows: Record<string, string[]> = {
  core: [],
  servers: ['core'],
  receiver: ['core'],
  load: ['core', 'receiver'],
  network: ['core'],
  harness: ['core'],
  reports: ['core'],
  simulation: ['core'],
  api: ['core', 'harness', 'reports', 'simulation'],
  cli: ['core', 'harness', 'reports', 'simulation', 'api', 'servers', 'receiver', 'load'],
};

const sources = globSync(`{${Object.keys(arrows).join(',')}}/**/*.ts`);

/** Each source file with the files of ours that it imports, types included. */
const imports = new Map(
  globSync(`{${Object.keys(arrows).join(',')},bench}/**/*.ts`).map((file) => [
    file,
    [...readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]) =>
      join(dirname(file), path!),
    ),
  ]),
);

const roomOf = (file: string) => file.split('/')[0]!;
/** A folder below a room is a unit; a file that lies in the room itself is one of its own. */
const folderOf = (file: string) => (dirname(file) === roomOf(file) ? file : dirname(file));

test('imports between rooms follow the arrows', () => {
  const wrong = sources.flatMap((file) =>
    imports
      .get(file)!
      .filter((other) => roomOf(other) !== roomOf(file) && !arrows[roomOf(file)]!.includes(roomOf(other)))
      .map((other) => `${file} imports ${other}`),
  );
  assert.ok(sources.length > 30);
  assert.deepEqual(wrong, []);
});

test('no file imports itself by way of others', () => {
  assert.deepEqual(circlesIn(imports), []);
});

test('and no folder of a room does, the parts of one webhook server left out', () => {
  const folders = new Map<string, string[]>();
  for (const [file, others] of imports) {
    if (roomOf(file) === 'bench') continue;
    const ofWebhooks = (path: string) => path.replace(/^servers\/webhook\/.*/, 'servers/webhook');
    const from = ofWebhooks(folderOf(file));
    const to = others.map((other) => ofWebhooks(folderOf(other))).filter((other) => other !== from);
    folders.set(from, [...(folders.get(from) ?? []), ...to]);
  }
  assert.deepEqual(circlesIn(folders), []);
});

test('a circle is found, whichever of its members one begins with', () => {
  const circle = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', ['b']],
    ['d', []],
  ]);
  assert.deepEqual(circlesIn(circle), [['b', 'c']]);
});

/** The sets of two or more that reach one another. */
function circlesIn(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const reach = new Map([...edges.keys()].map((one) => [one, reachedFrom(one, edges)]));
  const circles = [...reach].map(([one, reached]) =>
    [...reached].filter((other) => other === one || reach.get(other)?.has(one)).sort(),
  );
  return [...new Set(circles.filter(({ length }) => length > 1).map((one) => one.join(' ')))].map((one) =>
    one.split(' '),
  );
}

function reachedFrom(start: string, edges: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set<string>();
  const open = [...(edges.get(start) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    open.push(...(edges.get(next) ?? []));
  }
  return reached;
}

/**
 * Files that read what nobody named (the kernel's, the package's own), heads of
 * databases, and the one reader.
 */
const readers = [
  'core/base/descriptor-limit.ts',
  'core/base/read-file.ts',
  'harness/process/system-files.ts',
  'harness/run/environment.ts',
  'harness/run/version.ts',
  'receiver/inspector/page.ts',
  'reports/page/chart-script.ts',
  'reports/page/interactive.ts',
  'servers/page/page.ts',
  'servers/webhook/http/dashboard.ts',
  'servers/webhook/sqlite/file.ts',
  'servers/webhook/sqlite/wal-damage.ts',
];

test('files that people name are read by core/base/read-file.ts alone, which bounds them', () => {
  const reading = sources.filter((file) =>
    /\b(?:readFile|readFileSync|createReadStream|openAsBlob|readSync|readv|readvSync)\b/.test(
      readFileSync(file, 'utf8'),
    ),
  );
  assert.deepEqual(reading.sort(), readers);
  // And no error of V8 about JSON, which quotes the text, reaches a message.
  const quoting = sources.filter(
    (file) => /^(?:cli|harness|reports)\//.test(file) && /JSON\.parse\(/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(
    quoting.sort(),
    ['harness/run/version.ts', 'reports/page/interactive.ts'],
    'of the package, and in a page',
  );
});

/** `Reads files`, `Refuses, before ...`; a noun in the plural gives itself away by what follows it. */
const verbFirst = /^(?:#!.*\n)?\/\/ [A-Z][a-z]+s\b(?!:| (?:of|held|whose)\b)/;

test('every file opens by saying what it is for, a source file with a verb', () => {
  const code = [...sources, ...globSync('{bench,scripts,servers}/**/*.{ts,mjs,js}')];
  const textOf = (file: string) => readFileSync(file, 'utf8');
  const silent = [...code, ...globSync('test/**/*.{ts,mjs}')].filter(
    (file) => !/^(#!.*\n)?\/\/ .{40}/.test(textOf(file)),
  );
  assert.deepEqual(silent, []);
  for (const noun of ['The page.', 'Claims of a text', 'Percentiles held', 'Experiments whose', 'pushbench'])
    assert.doesNotMatch(`// ${noun}`, verbFirst);
  assert.deepEqual(
    code.filter((file) => !verbFirst.test(textOf(file))),
    [],
  );
});

const written = globSync(`{${Object.keys(arrows).join(',')},test,bench,scripts,docs}/**/*.{ts,mjs}`);

/** Lines of a file; of a function outside the tests, .oxlintrc.json says how many. */
const maxLines = 300;

test('no file has more than 300 lines', () => {
  const long = written.flatMap((file) => {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').length;
    return lines > maxLines ? [`${file}: ${lines}`] : [];
  });
  assert.ok(written.length > 400);
  assert.deepEqual(long, []);
});

const maxColumns = 110;

/**
 * A line that no break could shorten: all of it is a regular expression, or one of its words is too wide by
 * itself (a URL, a key, a test vector).
 */
function unbreakable(line: string): boolean {
  const code = line.trim();
  if (/^\/[^/*].*\/[a-z]*[,;)]*$/.test(code)) return true;
  const indent = line.length - line.trimStart().length;
  return code.split(' ').some((word) => indent + word.length > maxColumns);
}

test('no line is wider than 110 columns unless nothing in it can be broken', () => {
  assert.ok(unbreakable(`  /${'a b'.repeat(40)}/i,`) && unbreakable(`    '${'x'.repeat(110)}'`));
  assert.ok(!unbreakable('a '.repeat(60)) && !unbreakable(`const url = '${'x'.repeat(100)}';`));
  const wide = written.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) => (line.length > maxColumns && !unbreakable(line) ? [`${file}:${i + 1}`] : [])),
  );
  assert.deepEqual(wide, []);
});
