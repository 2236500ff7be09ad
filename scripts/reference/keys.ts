// Lists the keys of a zod schema, each with its type, what it may be, its default and its description: the
// rows of the reference tables.

import { stringify } from 'yaml';
import { z } from 'zod';
import { formatNumber } from '../../core/base/units.ts';
import { limitsOf, type Limits } from './bounds.ts';
import { code, listedOnce } from './markdown.ts';

/** A JSON schema as zod writes it, with what limitsOf adds. */
export type Node = Limits & {
  type?: string | string[];
  description?: string;
  format?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Node>;
  required?: string[];
  propertyNames?: Node;
  additionalProperties?: Node | boolean;
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
};

export type Key = {
  /** `topics.NAME.publish`, `faults[].at` */
  path: string;
  /** Where a map has several forms, the key or the word that tells which of them it is of. */
  form: string;
  type: string;
  /** Words that it may be, and bounds. */
  values: string;
  default: string;
  says: string;
};

/** Parts that stand in many places and are described once. */
export type Shapes = Readonly<Record<string, Node>>;

/** The schema as data, with the bounds of its texts. */
export function nodeOf(schema: z.ZodType, io: 'input' | 'output'): Node {
  return z.toJSONSchema(schema, {
    io,
    target: 'draft-7',
    override({ zodSchema, jsonSchema }) {
      if (typeof jsonSchema.pattern === 'string')
        Object.assign(jsonSchema, limitsOf(zodSchema, jsonSchema.pattern));
    },
  }) as Node; // what it writes has no other keywords that are read here
}

/** Every key below a node, in the schema's order. */
export function keysOf(node: Node, shapes: Shapes = {}, path = '', form = ''): Key[] {
  const below = (child: Node, at: string, own = form) =>
    shapeOf(child, shapes) === undefined ? keysOf(child, shapes, at, own) : [];
  const ofProperties = Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const isRequired = node.required?.includes(name) === true;
    return [keyOf(child, { path: at, form, isRequired }, shapes), ...below(child, at)];
  });
  const { additionalProperties: entry, items } = node;
  const unnamed: [Node, string][] = [
    ...(typeof entry === 'object' ? [[entry, `${path}.${entryName(path)}`] as [Node, string]] : []),
    ...(items ? [[items, `${path}[]`] as [Node, string]] : []),
  ];
  const ofUnnamed = unnamed.flatMap(([child, at]) => [
    // A map says what it is by its keys.
    ...(child.anyOf && child.description !== undefined
      ? [keyOf(child, { path: at, form, isRequired: false }, shapes)]
      : []),
    ...below(child, at),
  ]);
  const branches = branchesOf(node);
  const maps = branches.filter(({ properties }) => properties);
  const ofBranches = branches.flatMap((branch) =>
    below(branch, path, maps.length > 1 && branch.properties ? formOf(branch, maps) : form),
  );
  return [...ofProperties, ...ofUnnamed, ...ofBranches];
}

/** Keys of one path in one row: of a map whose forms a word tells apart, that word with what it says. */
export function mergedKeys(keys: readonly Key[]): Key[] {
  return [...Map.groupBy(keys, ({ path }) => path).values()].map((same) => {
    const [first] = same;
    if (same.length === 1) return first!; // a group has a member
    const words = same.map(({ values }) => /^`[^`]+`$/.exec(values)?.[0]);
    const isTold = new Set(words).size === same.length && !words.includes(undefined);
    return {
      ...first!,
      form: listedOnce(same.map(({ form }) => form)),
      type: listedOnce(
        same.map(({ type }) => type),
        ' or ',
      ),
      values: same.some(({ values }) => values === '') ? '' : listedOnce(same.map(({ values }) => values)),
      says: isTold
        ? listedOnce(
            same.map(({ says }, i) => (says === '' ? '' : `${words[i]!}: ${says}`)),
            '; ',
          )
        : listedOnce(
            same.map(({ says }) => says),
            '; ',
          ),
    };
  });
}

export function branchesOf({ anyOf, oneOf }: Node): Node[] {
  return anyOf ?? oneOf ?? [];
}

/** The word that tells forms of a map apart, or else the key that no other form has and this one needs. */
export function formOf(branch: Node, forms: readonly Node[]): string {
  const wordIn = (form: Node, key: string) => form.properties?.[key]?.const;
  const keys = Object.keys(branch.properties ?? {});
  const tells = keys.find((key) => forms.every((form) => typeof wordIn(form, key) === 'string'));
  if (tells !== undefined) return String(wordIn(branch, tells));
  const others = forms.filter((one) => one !== branch);
  return branch.required?.find((key) => others.every(({ properties }) => !properties?.[key])) ?? '';
}

/** What stands for a name that the writer of a file chooses. */
export function entryName(path: string): string {
  const names: Record<string, string> = { matrix: 'PATH', where: 'PATH', gate: 'METRIC', figures: 'METRIC' };
  return names[/\w*$/.exec(path)?.[0] ?? ''] ?? 'NAME';
}

function shapeOf(node: Node, shapes: Shapes): string | undefined {
  const keys = Object.keys(node.properties ?? {}).join();
  return keys === ''
    ? undefined
    : Object.keys(shapes).find((name) => Object.keys(shapes[name]!.properties ?? {}).join() === keys);
}

type Place = { path: string; form: string; isRequired: boolean };

function keyOf(node: Node, { path, form, isRequired }: Place, shapes: Shapes): Key {
  const rules = valuesOf(node);
  return {
    path,
    form,
    type: listedOnce(typesOf(node, shapes), ' or '),
    values: listedOnce([listedOnce(rules.words), ...rules.bounds], '; '),
    default: defaultOf(node, isRequired),
    says: node.description ?? '',
  };
}

function typesOf(node: Node, shapes: Shapes): string[] {
  if (node.quantity !== undefined) return [node.quantity];
  const branches = branchesOf(node);
  if (branches.length > 0) return branches.flatMap((branch) => typesOf(branch, shapes));
  if (node.const !== undefined || node.enum) return [wordType(node.const ?? node.enum?.[0])];
  const types = [node.type ?? []].flat();
  if (types.length === 0) return ['anything'];
  return types.map((type) => {
    if (type === 'array') return listOf(node.items ?? {}, shapes);
    if (type === 'object') return shapeOf(node, shapes) ?? (node.properties ? 'map' : 'map of names');
    if (type === 'string' && node.format !== undefined) return formats[node.format] ?? 'text';
    return typeNames[type] ?? type;
  });
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  boolean: 'true or false',
};
const formats: Readonly<Record<string, string>> = { 'date-time': 'date and time', uri: 'address' };

function wordType(value: unknown): string {
  if (typeof value === 'string') return 'word';
  return typeof value === 'number' ? 'number' : 'true or false';
}

function listOf(items: Node, shapes: Shapes): string {
  const several = (type: string) => (/(?:s|anything|second|null)$/.test(type) ? type : `${type}s`);
  return `list of ${listedOnce(typesOf(items, shapes).map(several), ' or ')}`;
}

function valuesOf(node: Node): { words: string[]; bounds: string[] } {
  const parts = [...branchesOf(node), ...(node.items ? [node.items] : [])].map(valuesOf);
  const words = [node.const ?? [], node.enum ?? []].flat();
  if (node.quantity !== undefined && !node.bounds)
    throw new Error(`a ${node.quantity} has a bound that scripts/reference/bounds.ts does not list`);
  return {
    words: [...words.map((word) => code(String(word) || "''")), ...parts.flatMap((part) => part.words)],
    bounds: [
      node.bounds ?? '',
      numberBounds(node),
      itemBounds(node),
      node.propertyNames?.bounds ?? '',
      ...parts.flatMap((part) => part.bounds),
    ].filter((text) => text !== ''),
  };
}

function numberBounds({ minimum, maximum, exclusiveMinimum }: Node): string {
  const [least, most] = [minimum, maximum].map((value) =>
    value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? undefined : formatNumber(value),
  );
  if (exclusiveMinimum !== undefined) return `more than ${formatNumber(exclusiveMinimum)}`;
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  if (least !== undefined) return least === '0' ? '' : `at least ${least}`;
  return most === undefined ? '' : `at most ${most}`;
}

function itemBounds({ minItems, maxItems }: Node): string {
  return listedOnce([
    minItems === undefined ? '' : `${formatNumber(minItems)} or more of them`,
    maxItems === undefined ? '' : `at most ${formatNumber(maxItems)} of them`,
  ]);
}

function defaultOf({ default: given }: Node, isRequired: boolean): string {
  if (given === undefined) return isRequired ? 'required' : '';
  if (given === '') return 'empty';
  const isEmpty = typeof given === 'object' && Object.keys(given ?? {}).length === 0;
  return isEmpty ? '' : code(written(given));
}

/** As a YAML file has it, on one line. */
function written(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
}
