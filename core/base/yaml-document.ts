// Reads YAML as a tree that knows where everything is, for messages with a line and column. What the tree
// means is not known here.

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Alias,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { readLimits } from './read-file.ts';

/** Keys and indices from the root to a value. */
export type Path = readonly PropertyKey[];

/** A mistake at a place in the text; `path` is empty where it is none of a single value. */
export type Problem = { path: Path; line: number; column: number; message: string };

/** A scenario is a page or two; what is larger is some other file. */
export const largestFileBytes = readLimits.scenario.mostBytes;
/** Each is looked up and copied; a megabyte of them would take hours. */
const mostAliases = 1000;
/** Deeper than anything a scenario holds, and shallow enough for code that recurses. */
const deepest = 32;

export type YamlFile = {
  doc: Document;
  /** Syntax errors, duplicate keys, keys that are not text, aliases without an anchor. */
  problems: Problem[];
  /** Whether the problems are about nesting or aliases, in words that quote nothing of the file. */
  exhausting: boolean;
  /** Whether the problems leave no value to look at. */
  broken: boolean;
  /**
   * Line and column, from 1, of the value at a path or of its key; of the nearest thing
   * above that is written down.
   */
  placeOf(path: Path, part: 'key' | 'value'): { line: number; column: number };
};

/** Reads one YAML document. Never throws; what is wrong stands in `problems`. */
export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  // Keys that stand twice are looked for below: the library compares each key with all before it.
  const doc: Document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const placeAt = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: Problem[] = [];
  const report = (offset: number, message: string) =>
    problems.push({ path: [], ...placeAt(offset), message });

  const tooDeep = doc.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  for (const { pos, message } of tooDeep ? [] : [...doc.errors, ...doc.warnings])
    report(pos[0], `this is not YAML: ${message}`);
  if (tooDeep || depthExceeds(doc.contents, deepest))
    report(
      tooDeep?.pos[0] ?? 0,
      `the values are nested too deep; a scenario needs fewer than ${deepest} levels`,
    );
  // What is left of problems now is the depth, where the library found none itself.
  const exhausting =
    tooDeep !== undefined || (problems.length > 0 && doc.errors.length + doc.warnings.length === 0);
  let broken = problems.length > 0;
  const { found, anchors, excessive } = broken ? nothingFound : misshapenNodes(doc);
  for (const { node, message, breaks } of found) {
    report(offsetOf(node) ?? 0, message);
    broken ||= breaks;
  }

  const known = new WeakMap<YAMLMap, Pairs>();
  const pairs = (map: YAMLMap) => {
    let found = known.get(map);
    if (!found) known.set(map, (found = pairsOf(map)));
    return found;
  };
  return {
    doc,
    problems,
    exhausting: exhausting || excessive,
    broken,
    placeOf(path, part) {
      let node: unknown = doc.contents;
      let offset = 0;
      for (const [i, segment] of path.entries()) {
        const found = childOf(isAlias(node) ? anchors.get(node) : node, segment, pairs);
        if (!found) break;
        const { key, value } = found;
        const last = i === path.length - 1;
        offset = offsetOf(last && part === 'value' && !isNothing(value) ? value : (key ?? value)) ?? offset;
        node = value;
      }
      return placeAt(offset);
    },
  };
}

/** The plain value of a document without problems. */
export function plainValue({ doc }: YamlFile): { value: unknown } | { problem: Problem } {
  try {
    return { value: doc.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return {
      problem: {
        path: [],
        line: 1,
        column: 1,
        message: 'its aliases multiply its values more than 100 times; write the values out',
      },
    };
  }
}

/** The child of a map or list under a key or index, with the key's own node in a map. */
export function childOf(
  node: unknown,
  segment: PropertyKey,
  pairs = pairsOf,
): { key: unknown; value: unknown } | undefined {
  if (isSeq(node)) {
    return typeof segment === 'number' && segment < node.items.length
      ? { key: undefined, value: node.items[segment] }
      : undefined;
  }
  const pair = isMap(node) ? pairs(node).get(String(segment)) : undefined;
  return pair && { key: pair.key, value: pair.value };
}

type Pairs = ReadonlyMap<string, Pair>;

/** By the text of their keys; the last one of a key that occurs twice, because that one counts. */
function pairsOf(map: YAMLMap): Pairs {
  return new Map(map.items.map((pair) => [nameOf(pair.key), pair]));
}

/** Whether a key has no value in the file. */
function isNothing(value: unknown): boolean {
  return value === null || (isScalar(value) && value.type === 'PLAIN' && value.source === '');
}

function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | undefined)?.range?.[0];
}

function depthExceeds(node: unknown, left: number): boolean {
  if (left === 0) return true;
  if (isMap(node)) return node.items.some(({ value }) => depthExceeds(value, left - 1));
  return isSeq(node) && node.items.some((item) => depthExceeds(item, left - 1));
}

type Misshapen = { node: unknown; message: string; breaks: boolean };
type Looked = { found: Misshapen[]; anchors: ReadonlyMap<Alias, Node>; excessive: boolean };

const nothingFound: Looked = { found: [], anchors: new Map(), excessive: false };

/**
 * What is good YAML, but nothing that a file of settings may hold, and whether it can have no plain value.
 * @returns `anchors`: what each alias stands for. The library looks through the whole document for each
 */
function misshapenNodes(doc: Document): Looked {
  const found: Misshapen[] = [];
  const named = new Map<string, Node>();
  const anchors = new Map<Alias, Node>();
  let aliases = 0;
  const remember = (node: Node & { anchor?: string }) => {
    if (node.anchor !== undefined) named.set(node.anchor, node);
  };
  visit(doc, {
    Scalar: (_, scalar) => remember(scalar),
    Seq: (_, seq) => remember(seq),
    Map(_, map) {
      remember(map);
      const names = new Set<string>();
      for (const { key } of map.items) {
        const name = nameOf(key);
        if (!isScalar(key))
          found.push({ node: key, message: 'a key must be a single word or text', breaks: true });
        else if (name === '__proto__')
          found.push({ node: key, message: '"__proto__" cannot be a key', breaks: false });
        else if (names.has(name))
          found.push({ node: key, message: `the key "${name}" is twice in the same map`, breaks: false });
        names.add(name);
      }
    },
    Alias(_, alias, ancestors) {
      if (++aliases > mostAliases) return visit.BREAK;
      const target = named.get(alias.source);
      if (!target)
        found.push({
          node: alias,
          message: `the alias *${alias.source} has no anchor &${alias.source} before it`,
          breaks: true,
        });
      else if (ancestors.includes(target))
        found.push({
          node: alias,
          message: `the alias *${alias.source} is inside its own anchor`,
          breaks: true,
        });
      else anchors.set(alias, target);
      return undefined;
    },
  });
  const excessive = aliases > mostAliases;
  if (excessive) {
    const message = `it has more than ${mostAliases} aliases; write the values out`;
    found.splice(0, Infinity, { node: doc.contents, message, breaks: true });
  }
  return { found, anchors, excessive };
}

/**
 * What a document is, where it is another kind of file altogether: none of the keys is in it that make the
 * kind. Then its mistakes are not named, as naming them quotes it.
 * @param keys a file of the kind has one of them, whatever else is wrong with it
 * @returns `undefined` for a file of the kind, and for an empty one
 */
export function otherKind(
  { doc: { contents }, problems }: YamlFile,
  keys: readonly string[],
): string | undefined {
  if (isMap(contents)) {
    return contents.items.some(({ key }) => keys.includes(nameOf(key))) ? undefined : 'a map with other keys';
  }
  if (isSeq(contents)) return 'a list';
  if (contents === null || isNothing(contents)) return problems.length > 0 ? 'something else' : undefined;
  return 'text';
}
