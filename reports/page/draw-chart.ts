// Draws a specified chart as SVG, when the report is written, and makes the drawing small and accessible.

import type { Spec as VegaSpec, View } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import type { Spec } from './chart-style.ts';
import type { ChartValues } from './chart-values.ts';
import { escapeText } from './markup.ts';

export type Chart = {
  /** The drawing; where it has one for narrow screens, both, of which the page's style shows one. */
  svg: string;
  /** The compiled Vega specification, for pages that draw again in the browser. */
  live?: VegaSpec;
  /** What the page's script says of its lines. */
  values?: ChartValues;
};

/**
 * @param description what the chart shows, for those who do not see it
 * @param live compile the specification for the browser too
 * @throws the reason of `over` when that is aborted before
 */
export async function drawChart(
  spec: Spec,
  title: string,
  description: string,
  live: boolean,
  over?: AbortSignal,
): Promise<Chart> {
  const { narrow, values } = spec;
  const draw = async (one: TopLevelSpec) =>
    described(await drawn(one, values !== undefined, over), title, description);
  const svg = await draw(spec.still);
  const both = narrow ? `${classed(svg, 'wide')}${classed(await draw(narrow), 'narrow')}` : svg;
  const still = { svg: both, ...(values && { values }) };
  if (!live) return still;
  const { compile } = await import('vega-lite');
  return { ...still, live: compile(spec.live, { logger: quietLogger }).spec };
}

/** @param placed say on the drawing where its axes are, for the page's script */
async function drawn(spec: TopLevelSpec, placed: boolean, over?: AbortSignal): Promise<string> {
  // A turn for whatever else waits, such as a signal: drawing keeps the process busy for tenths of a second.
  await new Promise((resolve) => setImmediate(resolve));
  over?.throwIfAborted();
  // Loaded when a report is written: together they take longer to load than most commands run.
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')]);
  const view = new View(parse(compile(spec, { logger: quietLogger }).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  const axes = placed ? ` data-x="${axisOf(view, 'x')}" data-y="${axisOf(view, 'y')}"` : '';
  view.finalize();
  return svg.replace('<svg', `<svg${axes}`);
}

/** `log 1 1000 53 545`: the kind, where values begin and end, and where that is in the drawing. */
function axisOf(view: View, name: 'x' | 'y'): string {
  // Of a chart of lines, whose axes are continuous.
  const scale = view.scale(name) as { type: string; domain(): number[]; range(): number[] };
  const side = name === 'x' ? 0 : 1;
  const padding = view.padding();
  const { left, top } = typeof padding === 'number' ? { left: padding, top: padding } : padding;
  const offset = view.origin()[side]! + [left ?? 0, top ?? 0][side]!;
  const places = scale.range().map((place) => Math.round((place + offset) * 10) / 10);
  return [scale.type, ...scale.domain(), ...places].join(' ');
}

function classed(svg: string, name: string): string {
  return svg.replace('<svg', `<svg class="${name}"`);
}

/**
 * Vega leaves the root without a role, a name and a description, and says much that the page's style says.
 */
function described(svg: string, title: string, description: string): string {
  const at = svg.indexOf('>') + 1;
  const root = svg.slice(0, at - 1).replace(/ (?:xmlns(?::\w+)?|version|class)="[^"]*"/g, '');
  // Its marks' own roles and labels, thousands of them, would be read out one by one.
  const body = svg
    .slice(at)
    .replace(/<text[^>]* opacity="0"[^>]*>[^<]*<\/text>/g, '') // labels that would have overlapped
    .replace(/ (?:aria-[\w-]+|role|font-family|font-weight|pointer-events)="[^"]*"| opacity="1"/g, '')
    .replace(
      / (?:font-size="12px"|stroke-width="1"|(?:x2|y2)="0"|(?:fill|stroke)="currentColor"(?: stroke-opacity="0.15")?)(?=[^<]*>)/g,
      (attribute, offset: number, whole: string) => (isAxis(whole, offset) ? '' : attribute),
    )
    .replace(/<path class="(?:foreground|background)"[^>]*\/>/g, '')
    .replace(/(<path transform="[^"]*" d="[^"]*" fill="[^"]*") stroke-width="2"/g, '$1') // of points
    .replace(/ (?:d|transform)="[^"]*"/g, shortener(svg))
    .replace(
      /<path( transform="[^"]*") d="M([\d.]+),0A\2,\2,0,1,1,-\2,0A\2,\2,0,1,1,\2,0"/g,
      '<circle$1 r="$2"',
    )
    // Groups around one line each, which leave it where it is.
    .replace(
      /<g transform="translate\(0,0\)"><g>(<g class="mark-line)[^"]*(">(?:<path[^>]*\/>)*<\/g>)<\/g><\/g>/g,
      '$1$2',
    )
    .replaceAll('</g><g class="mark-line">', '')
    .replace(/<g class="mark-line">(?:<path[^>]* stroke-width="2"[^>]*\/>)+<\/g>/g, (group) =>
      group.replaceAll(' stroke-width="2"', '').replace('<g', '<g stroke-width="2"'),
    );
  return (
    `${root} ` +
    `role="img"><title>${escapeText(title)}</title><desc>${escapeText(description)}</desc>${body}`
  );
}

/** Whether an attribute is one of a text's or an axis' line's, whose looks the page's style gives. */
function isAxis(svg: string, offset: number): boolean {
  const tag = svg.slice(svg.lastIndexOf('<', offset), offset);
  if (tag.startsWith('<text')) return true;
  return (
    tag.startsWith('<line') &&
    /role-axis-(?:grid|tick|domain)">(?:<line[^<]*)*$/.test(
      svg.slice(Math.max(0, svg.lastIndexOf('<g ', offset)), offset),
    )
  );
}

/** Of more lines than this, which lie over one another, whole pixels say as much. */
const mostFine = 12;

/** A tenth of a pixel is finer than any screen shows; more digits would be half of the page. */
function shortener(svg: string): (attribute: string) => string {
  const lines = svg.match(/ d="M[^"A]*L/g)?.length ?? 0;
  const step = lines > mostFine ? 10 : 1;
  return (attribute) => shortened(attribute, step);
}

/** @param step tenths of a pixel to which the points of a line are rounded */
function shortened(attribute: string, step: number): string {
  const line = / d="M([-\d.,L]+)"/.exec(attribute)?.[1];
  if (line === undefined)
    return attribute.replace(/\d+\.\d{2,}/g, (number) => String(Number(Number(number).toFixed(1))));
  // A line: each point as the way from the one before. Rounded before it is subtracted,
  // so that nothing adds up.
  const points = line
    .split('L')
    .map((point) => point.split(',').map((number) => Math.round((Number(number) * 10) / step) * step));
  const way = points.map(([x = 0, y = 0], i) => {
    const [fromX = 0, fromY = 0] = points[i - 1] ?? [];
    return `${tenths(x - fromX)}${y < fromY ? '' : ' '}${tenths(y - fromY)}`;
  });
  return ` d="M${way[0]}${way.length > 1 ? `l${way.slice(1).join(' ').replaceAll(' -', '-')}` : ''}"`;
}

/** `-4` -> `-.4` */
function tenths(count: number): string {
  return String(count / 10).replace(/^(-?)0\./, '$1.');
}

const silent = () => quietLogger;
// Compile only calls these.
const quietLogger = { level: silent, error: silent, warn: silent, info: silent, debug: silent } as never;
