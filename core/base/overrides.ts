// Applies `--set path=value` to a YAML text before it is checked, so that the text kept with the result is
// what ran. Whether a value fits its place is checked with the whole scenario.

import { isAlias, isMap, isScalar, isSeq, type Document } from 'yaml';
import { listNames } from './suggest.ts';
import { childOf, plainValue, readYaml, type Path } from './yaml-document.ts';

/** An override that took effect: mistakes at its path or below are its own. */
export type Override = { text: string; path: Path };

export type OverrideProblem = { text: string; message: string };

/**
 * Changes the document in place, one override after another.
 * A path is keys with dots and indices in brackets: `variants[0].polling.every=2s`; a key with dots in it
 * stands in brackets and quotes: `topics["news.eu"].publish=5/s`. A value is YAML.
 */
export function applyOverrides(
  doc: Document,
  texts: readonly string[],
): { applied: Override[]; problems: OverrideProblem[] } {
  const applied: Override[] = [];
  const problems: OverrideProblem[] = [];
  for (const text of texts) {
    const override = parseOverride(text);
    const message = typeof override === 'string' ? override : setAt(doc, override.path, override.value);
    if (message === undefined && typeof override !== 'string') applied.push({ text, path: override.path });
    else problems.push({ text, message: message ?? '' });
  }
  return { applied, problems };
}

const assignment = /^((?:[^="[\]]|\[\d+\]|\["[^"]*"\])+)=(.*)$/s;
const token = /(?:^|\.)([^.[\]"]+)|\[(\d+)\]|\["([^"]*)"\]/y;

/** @returns path and value, or what is wrong with the text */
function parseOverride(text: string): { path: Path; value: unknown } | string {
  const [, left = '', right = ''] = assignment.exec(text) ?? [];
  const path: PropertyKey[] = [];
  token.lastIndex = 0;
  let end = 0;
  for (let match = token.exec(left); match; match = token.exec(left)) {
    path.push(match[1] ?? match[3] ?? Number(match[2]));
    end = token.lastIndex;
  }
  if (path.length === 0 || end !== left.length)
    return 'write it as path=value, such as phases.measure=20s or variants[0].polling.every=2s';
  const value = readYaml(right);
  const plain = value.problems.length === 0 ? plainValue(value) : { problem: value.problems[0]! };
  return 'problem' in plain
    ? `its value cannot be read: ${plain.problem.message}`
    : { path, value: plain.value };
}

/** @returns why the value cannot be set, `undefined` when it has been */
function setAt(doc: Document, path: Path, value: unknown): string | undefined {
  if (doc.contents === null) doc.contents = doc.createNode({});
  let node: unknown = doc.contents;
  for (const [i, segment] of path.entries()) {
    const here = path.slice(0, i);
    const name = pathText(here) || 'the scenario';
    if (isAlias(node))
      return (
        `${name} is the alias *${node.source}, so a change would reach ` +
        `other places too; set ${name} as a whole`
      );
    if (isScalar(node) && node.value === null) {
      doc.setIn(here, (node = doc.createNode({})));
    } else if (isScalar(node) && node.value === segment) {
      // A pattern by its name alone is the same as that pattern without options.
      doc.setIn(here, (node = doc.createNode({ [segment]: {} })));
    }
    if (isSeq(node)) {
      if (typeof segment !== 'number')
        return `${name} is a list; name an entry by its number, such as ${name}[0]`;
      if (segment >= node.items.length)
        return (
          `${name} has ` +
          (node.items.length === 1 ? 'one entry' : `${node.items.length} entries`) +
          `, counted from 0; set ${name} as a whole`
        );
    } else if (!isMap(node)) {
      return `${name} is ${String(node)}, which has no "${String(segment)}" in it; set ${name} as a whole`;
    } else if (typeof segment === 'number') {
      const keys = node.items.map(({ key }) => String(key));
      return `${name} is not a list; name one of its keys: ${listNames(keys)}`;
    }
    const child = childOf(node, segment);
    if (i === path.length - 1) {
      // By its own node, as a key like 5 is not text in YAML.
      node.set(child?.key ?? segment, doc.createNode(value));
    } else if (child) {
      node = child.value;
    } else {
      if (typeof path[i + 1] === 'number')
        return `the file has no ${pathText(path.slice(0, i + 1))}; set it as a whole`;
      node.set(segment, (node = doc.createNode({})));
    }
  }
  return undefined;
}

/** `['variants', 0, 'polling']` -> `variants[0].polling`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`;
    const key = String(segment);
    if (/[.[\]"=]/.test(key)) return `${text}["${key}"]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}
