// Places variants in their matrix, and finds the one parameter by whose values its cells fall into two kinds.

import { magnitudeOf, shortPath } from '../../core/scenario/matrix.ts';
import { variantNames } from './names.ts';
import type { VariantTrials } from './variants.ts';

type InMatrix = Pick<VariantTrials, 'result' | 'trials'>;
/** What cells differ in: a parameter by its name in labels, or the variant. */
export type Axis = { name: string; values: string[]; of(variant: InMatrix): string };

const variantAxis = 'variant';

/** What the cells of a matrix differ in, the variant last; empty where one of them is in no cell. */
export function axesOf(variants: readonly InMatrix[]): Axis[] {
  const cells = variants.flatMap(({ trials: [first] }) => first?.cell ?? []);
  if (cells.length < variants.length) return [];
  const paths = [...new Set(cells.flatMap(({ parameters }) => Object.keys(parameters)))];
  const names = variantNames([...new Set(variants.map(({ result }) => result))]);
  const cellOf = ({ trials: [first] }: InMatrix) => first!.cell!; // each is in a cell
  const axes = [
    ...paths.map((path) => ({
      name: shortPath(path, paths),
      of: (variant: InMatrix) => cellOf(variant).parameters[path] ?? '',
    })),
    { name: variantAxis, of: (variant: InMatrix) => names.of(cellOf(variant).variant) },
  ];
  return axes
    .map((axis) => ({ ...axis, values: [...new Set(variants.map(axis.of))] }))
    .filter(({ values }) => values.length > 1);
}

/** A value by itself where it is a word; a number or a yes says little without what it is of: `history=0`. */
export function valueText({ name }: Pick<Axis, 'name'>, value: string): string {
  const saysLittle = magnitudeOf(value) !== undefined || ['true', 'false', 'null'].includes(value);
  return name !== variantAxis && saysLittle ? `${name}=${value}` : value;
}

/** Where one axis alone decides who is such: `broker=nats` and `any other broker`, the fewer values first. */
export function decidedBy<V extends InMatrix>(
  variants: readonly V[],
  is: (variant: V) => boolean,
): { such: string; others: string; suchFirst: boolean } | undefined {
  const axes = axesOf(variants);
  // On a single axis every cell has a value of its own.
  if (axes.length < 2) return undefined;
  for (const axis of axes) {
    const withValue = (value: string) => variants.filter((one) => axis.of(one) === value);
    const such = axis.values.filter((value) => withValue(value).every(is));
    const others = axis.values.filter((value) => !withValue(value).some(is));
    if (such.length + others.length < axis.values.length || such.length * others.length === 0) continue;
    const suchFirst = such.length <= others.length;
    const [few, many] = suchFirst ? [such, others] : [others, such];
    const written = (value: string) => (axis.name === variantAxis ? value : `${axis.name}=${value}`);
    const texts = [
      few.map(written).join(' or '),
      many.length === 1 ? written(many[0]!) : `any other ${axis.name}`,
    ] as const;
    return { such: texts[suchFirst ? 0 : 1], others: texts[suchFirst ? 1 : 0], suchFirst };
  }
  return undefined;
}
