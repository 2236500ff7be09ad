// The patterns' colours: enough contrast on every ground that they are drawn on, and told apart by everybody,
// by a library that knows colours and how people with a colour deficiency see them.

import assert from 'node:assert/strict';
import {
  differenceCiede2000,
  filterDeficiencyDeuter,
  filterDeficiencyProt,
  filterDeficiencyTrit,
  parse,
  wcagContrast,
  type Color,
} from 'culori';
import { test } from 'vitest';
import {
  colorOf,
  dashOf,
  hexOf,
  looksOf,
  palette,
  paletteVariables,
  patternOfLabel,
  type Scheme,
} from '../../../core/pattern/palette.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { style } from '../../../reports/page/style.ts';

const schemes: Scheme[] = ['light', 'dark'];
const names = Object.keys(patterns);

/** What charts lie on: the page and its panels. */
const grounds = (scheme: Scheme) => {
  const rules = [...style.matchAll(/--(?:back|panel): (#[0-9a-f]{6})/g)].map(([, hex]) => hex!);
  return scheme === 'light' ? rules.slice(0, 2) : rules.slice(2, 4);
};

test('every colour has a contrast of 3:1 on the page and its panels, light and dark', () => {
  for (const scheme of schemes) {
    assert.deepEqual(grounds(scheme).length, 2);
    for (const pattern of [...names, 'no-pattern-of-ours'])
      for (const shade of [0, 1, 2])
        for (const ground of grounds(scheme)) {
          const contrast = wcagContrast(hexOf({ pattern, shade }, scheme), ground);
          assert.ok(contrast >= 3, `${pattern} ${shade + 1} on ${ground}: ${contrast}`);
        }
  }
});

/** As people see it: all colours, without long, middle, or short waves. */
const eyes: Record<string, (color: Color) => Color> = {
  'full colour vision': (color) => color,
  protanopia: filterDeficiencyProt(1),
  deuteranopia: filterDeficiencyDeuter(1),
  tritanopia: filterDeficiencyTrit(1),
};
/** Colours side by side differ visibly from about 5 on; thin lines apart from one another take more. */
const leastDistance = 18;
const leastInShade = 12;

test('any two patterns differ for everybody, and by their dash without colour', () => {
  const distance = differenceCiede2000();
  for (const scheme of schemes)
    for (const [eye, see] of Object.entries(eyes))
      for (const [i, one] of names.entries())
        for (const other of names.slice(0, i)) {
          const [a, b] = [one, other].map((pattern) => see(parse(hexOf({ pattern, shade: 0 }, scheme))!));
          const apart = distance(a!, b!);
          assert.ok(apart >= leastDistance, `${one} and ${other}, ${scheme}, ${eye}: ${apart}`);
        }
  assert.equal(new Set(names.map((pattern) => dashOf(pattern).join())).size, names.length);
});

test('shades of a pattern differ for everybody too', () => {
  const distance = differenceCiede2000();
  for (const scheme of schemes)
    for (const see of Object.values(eyes))
      for (const pattern of names) {
        const seen = [0, 1, 2].map((shade) => see(parse(hexOf({ pattern, shade }, scheme))!));
        for (const [i, j] of [
          [0, 1],
          [0, 2],
          [1, 2],
        ] as const) {
          const apart = distance(seen[i]!, seen[j]!);
          assert.ok(apart >= leastInShade, `${pattern} ${i + 1} and ${j + 1}, ${scheme}: ${apart}`);
        }
      }
});

test('two dozen variants of one pattern look different, and results of one variant share its shade', () => {
  const many = looksOf(Array.from({ length: 24 }, (_, i) => ({ pattern: 'webhook', own: `webhook n=${i}` })));
  assert.equal(new Set(many.map((look) => `${colorOf(look)} ${look.shape}`)).size, 24);
  assert.equal(colorOf(many[0]!), 'var(--pattern-webhook)');
  assert.equal(many[0]!.shape, 'circle');
  const [sse, h2, again] = looksOf(['sse', 'sse h2', 'sse'].map((own) => ({ pattern: 'sse', own })));
  assert.equal(colorOf(again!), colorOf(sse!));
  assert.notEqual(again!.shape, sse!.shape);
  assert.notEqual(colorOf(h2!), colorOf(sse!));
});

test('pages have each colour as a variable; a name from a result is never one', () => {
  for (const scheme of schemes)
    for (const pattern of names)
      assert.ok(
        paletteVariables(scheme).includes(`--pattern-${pattern}: ${hexOf({ pattern, shade: 0 }, scheme)};`),
      );
  assert.equal(colorOf({ pattern: 'x); background: red', shade: 0 }), 'var(--pattern-other)');
  assert.equal(colorOf({ pattern: 'constructor', shade: 1 }), 'var(--pattern-other-2)');
  for (const name of names) {
    assert.equal(patternOfLabel(`${name} over=h2`), name);
    assert.equal(patternOfLabel(`${name}, publish=1/s`), name);
  }
  assert.deepEqual(Object.keys(palette), names);
});
