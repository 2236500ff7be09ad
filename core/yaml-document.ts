// YAML as a tree that knows where everything stands, for messages that point at a line and column. What the
// tree means is not known here.

import {
  isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Alias, type Document, type Node, type Pair, type YAMLMap,
} from 'yaml';

/** Keys and indices from the root to a value. */
export type Path = readonly PropertyKey[];

/** A mistake at a place in the text; `path` is empty where it is none of a single value. */
export type Problem = { path: Path; line: number; column: number; message: string };

/** A scenario is a page or two; what is larger is some other file. */
export const largestFileBytes = 1024 ** 2;
/** Deeper than anything a scenario holds, and shallow enough for code that recurses. */
const deepest = 32;

export type YamlFile = {
  doc: Document;
  /** Syntax errors, duplicate keys, keys that are no text, aliases without an anchor. */
  problems: Problem[];
  /** Whether the problems leave no value to look at. */
  broken: boolean;
  /** Line and column, from 1, of the value at a path or of its key; of the nearest thing above that is written down. */
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
  const report = (offset: number, message: string) => problems.push({ path: [], ...placeAt(offset), message });

  const tooDeep = doc.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  for (const { pos, message } of tooDeep ? [] : [...doc.errors, ...doc.warnings]) report(pos[0], `this is no YAML: ${message}`);
  if (tooDeep || depthExceeds(doc.contents, deepest)) report(tooDeep?.pos[0] ?? 0, `the values are nested too deep; a scenario needs fewer than ${deepest} levels`);
  let broken = problems.length > 0;
  for (const { node, message, breaks } of broken ? [] : misshapenNodes(doc)) {
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
    broken,
    placeOf(path, part) {
      let node: unknown = doc.contents;
      let offset = 0;
      for (const [i, segment] of path.entries()) {
        const found = childOf(resolved(node, doc), segment, pairs);
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
    return { problem: { path: [], line: 1, column: 1, message: 'its aliases multiply its values more than 100 times; write the values out' } };
  }
}

/** The node that an alias stands for; other nodes as they are. */
export function resolved(node: unknown, doc: Document): unknown {
  return isAlias(node) ? (node as Alias).resolve(doc) : node;
}

/** The child of a map or list under a key or index, with the key's own node in a map. */
export function childOf(node: unknown, segment: PropertyKey, pairs = pairsOf): { key: unknown; value: unknown } | undefined {
  if (isSeq(node)) {
    return typeof segment === 'number' && segment < node.items.length ? { key: undefined, value: node.items[segment] } : undefined;
  }
  const pair = isMap(node) ? pairs(node).get(String(segment)) : undefined;
  return pair && { key: pair.key, value: pair.value };
}

type Pairs = ReadonlyMap<string, Pair>;

/** By the text that their keys become; of a key that stands twice the last, as that one counts. */
function pairsOf(map: YAMLMap): Pairs {
  return new Map(map.items.map((pair) => [nameOf(pair.key), pair]));
}

/** A key with nothing behind it has a value that stands nowhere. */
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

/** What is good YAML, but nothing that a file of settings may hold, and whether it can have no plain value. */
function misshapenNodes(doc: Document): { node: unknown; message: string; breaks: boolean }[] {
  const found: { node: unknown; message: string; breaks: boolean }[] = [];
  visit(doc, {
    Map(_, map) {
      const names = new Set<string>();
      for (const { key } of map.items) {
        const name = nameOf(key);
        if (!isScalar(key)) found.push({ node: key, message: 'a key must be a single word or text', breaks: true });
        else if (name === '__proto__') found.push({ node: key, message: '"__proto__" cannot be a key', breaks: false });
        else if (names.has(name)) found.push({ node: key, message: `the key "${name}" stands twice in the same map`, breaks: false });
        names.add(name);
      }
    },
    Alias(_, alias, ancestors) {
      const target = alias.resolve(doc);
      if (!target) found.push({ node: alias, message: `the alias *${alias.source} has no anchor &${alias.source} before it`, breaks: true });
      else if (ancestors.includes(target)) found.push({ node: alias, message: `the alias *${alias.source} stands inside its own anchor`, breaks: true });
    },
  });
  return found;
}
