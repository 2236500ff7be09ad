// The structure holds: arrows between rooms point down only, every pattern stands in every room, and every
// file says what it is for.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { patterns } from '../core/pattern/registry.ts';

/** The rooms each room may import from. */
const arrows: Record<string, string[]> = {
  core: [],
  servers: ['core'],
  receiver: ['core'],
  load: ['core', 'receiver'],
  harness: ['core'],
  reports: ['core'],
  cli: ['core', 'harness', 'reports', 'servers'],
};

const sources = globSync(`{${Object.keys(arrows).join(',')}}/**/*.ts`);

test('imports between rooms follow the arrows', () => {
  const wrong = sources.flatMap((file) => {
    const room = file.split('/')[0]!;
    const imported = [...readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(?:\.\.\/)+(\w+)\//g)].map(
      (match) => match[1]!,
    );
    return imported
      .filter((other) => other !== room && !arrows[room]!.includes(other))
      .map((other) => `${file} imports from ${other}/`);
  });
  assert.ok(sources.length > 30);
  assert.deepEqual(wrong, []);
});

/** Files that read what nobody named (the kernel's, the package's own), heads of databases, and the one reader. */
const readers = [
  'core/base/descriptor-limit.ts',
  'core/base/read-file.ts',
  'harness/process/probe.ts',
  'harness/process/process-tree.ts',
  'harness/run/environment.ts',
  'harness/run/version.ts',
  'load/ramp.ts',
  'reports/page/interactive.ts',
  'servers/webhook/http/dashboard.ts',
  'servers/webhook/sqlite/file.ts',
  'servers/webhook/sqlite/log.ts',
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

test('every pattern is one file of the same name in servers/ and load/, and stands in both registries', async () => {
  const names = Object.keys(patterns).sort();
  for (const room of ['servers', 'load']) {
    const files = new Set(globSync(`${room}/*.ts`).map((file) => file.slice(room.length + 1, -'.ts'.length)));
    assert.deepEqual(
      names.filter((name) => !files.has(name)),
      [],
      `missing in ${room}/`,
    );
    const registry = (await import(`../${room}/registry.ts`)) as Record<string, unknown>;
    const listed = Object.values(registry).find((value) => typeof value === 'object' && value !== null);
    assert.deepEqual(Object.keys(listed ?? {}).sort(), names, `${room}/registry.ts`);
  }
});

test('every file opens by saying what it is for', () => {
  const silent = [...sources, ...globSync('{test,bench,scripts}/**/*.{ts,mjs}')].filter(
    (file) => !/^(#!.*\n)?\/\/ .{40}/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(silent, []);
});
