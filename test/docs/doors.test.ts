// The documentation has a way in: docs/README.md leads to every page, and a link to a place on a page to a
// heading that is there.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { pages } from './blocks.ts';

type Link = { file: string; to: string; anchor: string | undefined };

/** Of a page, to other pages and to places on itself. */
function linksIn(file: string): Link[] {
  return [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)/g)].map(
    ([, path = '', anchor]) => ({ file, to: path === '' ? file : join(dirname(file), path), anchor }),
  );
}

/** What GitHub calls the place of a heading. */
function anchorsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

test('every page is behind one of the doors', () => {
  const linked = new Set(linksIn('docs/README.md').map(({ to }) => to));
  const behind = globSync('docs/**/*.md').filter((file) => file !== 'docs/README.md' && !linked.has(file));
  assert.deepEqual(behind, [], 'link it from docs/README.md');
});

test('the README leads there', () => {
  assert.ok(linksIn('README.md').some(({ to }) => to === 'docs/README.md'));
});

test('a link to a place on a page finds its heading', () => {
  const links = pages.flatMap(linksIn).filter(({ to, anchor }) => anchor !== undefined && existsSync(to));
  assert.ok(links.length > 60);
  assert.deepEqual(
    links
      .filter(({ to, anchor }) => !anchorsOf(to).includes(anchor!))
      .map(({ file, to, anchor }) => `${file}: ${to}#${anchor}`),
    [],
  );
});

test('the doors are four, in their order', () => {
  const doors = [...readFileSync('docs/README.md', 'utf8').matchAll(/^## (.*)$/gm)].map(([, door]) => door);
  assert.deepEqual(doors, ['Start', 'How to', 'Reference', 'Why']);
});
