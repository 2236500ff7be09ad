// Holds how each pattern looks wherever it is drawn: its colour on light and on dark ground, its dash, and
// the shades and point shapes that tell its variants apart.

import { isPatternName, type PatternName } from './registry.ts';

/** The pattern's own, and two more that differ in lightness. */
type Shades = readonly [own: string, second: string, third: string];
type PatternLook = { light: Shades; dark: Shades; dash: readonly number[] };
export type Scheme = 'light' | 'dark';

/**
 * Chosen by a search over OKLCH for the largest CIEDE2000 distance between any two patterns, as people see
 * them with full colour vision, protanopia, deuteranopia and tritanopia (Machado et al. 2009): 20 at the
 * least. The contrast is 3:1 or more against the page in each scheme. test/core/pattern/palette.test.ts
 * holds both.
 */
export const palette: Readonly<Record<PatternName, PatternLook>> = {
  polling: {
    light: ['#3c59da', '#1e2f97', '#6283f2'],
    dark: ['#62c5ff', '#4192c1', '#d1ecff'],
    dash: [2, 3],
  },
  'long-polling': {
    light: ['#9f3900', '#511900', '#c46a47'],
    dark: ['#e55500', '#ff9971', '#ffd3c2'],
    dash: [6, 3],
  },
  'http-stream': {
    light: ['#229883', '#00342b', '#006e5d'],
    dark: ['#4c916b', '#83bd9b', '#bcf8d4'],
    dash: [9, 3, 2, 3],
  },
  sse: {
    light: ['#64006d', '#1f0022', '#8d4494'],
    dark: ['#c044d3', '#e57ef5', '#f7c2ff'],
    dash: [1, 0],
  },
  websocket: {
    light: ['#3d3e3e', '#0f1010', '#686969'],
    dark: ['#bbbbbb', '#8c8c8c', '#f8f8f8'],
    dash: [13, 4],
  },
  webhook: {
    light: ['#968a2f', '#403900', '#6e6518'],
    dark: ['#ebc957', '#b19637', '#fff2c7'],
    dash: [9, 3, 2, 3, 2, 3],
  },
};

/** Of a pattern that is not ours, such as an older result's. */
const other: PatternLook = {
  light: ['#62626a', '#37373d', '#888890'],
  dark: ['#9a9aa3', '#717178', '#d0d0d8'],
  dash: [4, 4],
};

/** Shapes of points, by Vega's names; lines of the first one have none but where they must. */
export const pointShapes = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'triangle-down',
  'triangle-left',
  'triangle-right',
] as const;
export type PointShape = (typeof pointShapes)[number];
const shadeCount = 3;

/** How a variant looks: its pattern's colour in a shade, its pattern's dash, a shape of its points. */
export type Look = { pattern: string; shade: number; shape: PointShape };

/**
 * How variants look beside one another. Those of the same name share a shade, whatever result they are of; up
 * to 24 variants of one pattern are told apart.
 */
export function looksOf(variants: readonly { pattern: string; own: string }[]): Look[] {
  const seen = new Map<string, { names: string[]; count: number }>();
  return variants.map(({ pattern, own }) => {
    const sameKind = seen.get(pattern) ?? { names: [], count: 0 };
    seen.set(pattern, sameKind);
    if (!sameKind.names.includes(own)) sameKind.names.push(own);
    const shape = pointShapes[sameKind.count++ % pointShapes.length]!;
    return { pattern, shade: sameKind.names.indexOf(own) % shadeCount, shape };
  });
}

/** The pattern of a variant of which only the label is known: labels begin with it. */
export function patternOfLabel(label: string): string {
  return label.split(/[ ,]/, 1)[0]!; // a split has a first part
}

/** As a page that has {@link paletteVariables} writes it. */
export function colorOf({ pattern, shade }: Pick<Look, 'pattern' | 'shade'>): string {
  return `var(${variable(isPatternName(pattern) ? pattern : 'other', shade)})`;
}

/** As a document without variables writes it. */
export function hexOf({ pattern, shade }: Pick<Look, 'pattern' | 'shade'>, scheme: Scheme): string {
  return lookOf(pattern)[scheme][shade % shadeCount]!;
}

export function dashOf(pattern: string): readonly number[] {
  return lookOf(pattern).dash;
}

/** `--pattern-sse: #...; --pattern-sse-2: #...;` for each pattern and shade. */
export function paletteVariables(scheme: Scheme): string {
  return [...Object.entries(palette), ['other', other] as const]
    .flatMap(([name, look]) => look[scheme].map((hex, shade) => `${variable(name, shade)}: ${hex};`))
    .join(' ');
}

function variable(name: string, shade: number): string {
  const place = shade % shadeCount;
  return `--pattern-${name}${place === 0 ? '' : `-${place + 1}`}`;
}

function lookOf(pattern: string): PatternLook {
  return isPatternName(pattern) ? palette[pattern] : other;
}
