// Draws the card to share: 1200 x 630, the answer in one sentence, from the median to the 99th percentile of
// each variant on one axis, and what it was measured with. It is an SVG that needs nothing around it.

import { dashOf, hexOf } from '../../core/pattern/palette.ts';
import { figureOver } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { formatUs } from '../../core/base/units.ts';
import { headlinesOf } from '../summary/headline.ts';
import { onScaledClock, timeScaleOf } from '../summary/time-scale.ts';
import { variantsOf, type VariantTrials } from '../summary/variants.ts';
import { isOfWhatCame } from '../summary/losses.ts';
import { durationTicks } from './chart-axes.ts';
import { outlineOf } from './legend.ts';
import { html, type Markup } from './markup.ts';

const [width, height, margin] = [1200, 630, 56] as const;
/** Of the axis: names stand left of it, figures right. */
const [axisFrom, axisTo] = [360, 900] as const;
const [text, dim, line, back] = ['#1c1c1e', '#5b5b62', '#d5d5da', '#ffffff'] as const;
const slogan = 'pushbench: when something changes on the server, how should the client find out?';
/** The card has room for so many. */
const mostRows = 9;

type Row = {
  variant: VariantTrials;
  p50Us: number;
  upUs: number | undefined;
  said: string;
  /** It lost deliveries, which have no latency. */
  came: boolean;
};

/** @returns a whole SVG document */
export function renderCard(results: readonly Result[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${cardMarkup(results).markup}\n`;
}

/** The card for the page's script, which offers to copy it. */
export function cardTemplate(results: readonly Result[]): Markup {
  return html`<template id="card">${cardMarkup(results)}</template>`;
}

function cardMarkup(results: readonly Result[]): Markup {
  const { answer } = headlinesOf(results);
  const variants = variantsOf(results);
  const all = rowsOf(variants);
  const rows = all.slice(0, mostRows);
  const headline = fitted(answer, width - 2 * margin, rows.length > 6 ? 2 : 3);
  const top = 96 + headline.lines.length * headline.size * 1.25;
  const bottom = height - 118;
  return html`<svg
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 ${width} ${height}"
    width="${width}"
    height="${height}"
    font-family="system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
  >
    <title>${answer}</title>
    <rect width="100%" height="100%" fill="${back}" />
    <rect width="100%" height="10" fill="${text}" />
    ${textAt(margin, 62, 22, dim, slogan)}${headline.lines.map((one, i) =>
      textAt(margin, 104 + i * headline.size * 1.25, headline.size, text, one, { weight: 650 }),
    )}${rows.length > 0 && rowsMarkup(rows, all.length - rows.length, { top, bottom })}
    <path d="M${margin} ${height - 62}H${width - margin}" stroke="${line}" />
    ${textAt(margin, height - 30, 20, dim, cut(aboutText(results), width - 2 * margin, 20))}
  </svg>`;
}

/** Variants with a median, in the order of the report. */
function rowsOf(variants: readonly VariantTrials[]): Row[] {
  const scale = timeScaleOf(variants);
  return variants.flatMap((variant) => {
    const at = (name: string) => onScaledClock(figureOver(name, variant.completed), scale).value;
    const [p50Us, p90Us, p99Us] = [at('latency.p50'), at('latency.p90'), at('latency.p99')];
    if (p50Us === undefined) return [];
    const [upUs, name] = p99Us === undefined ? [p90Us, 'p90'] : [p99Us, 'p99'];
    const said = `${formatUs(p50Us)}${upUs === undefined ? ' (p50)' : ` to ${formatUs(upUs)}`}`;
    const came = isOfWhatCame('latency.p50', variant);
    const figures = upUs === undefined || name === 'p99' ? said : `${said} (${name})`;
    return [{ variant, p50Us, upUs, said: `${figures}${came ? '*' : ''}`, came }];
  });
}

function rowsMarkup(
  rows: readonly Row[],
  more: number,
  { top, bottom }: { top: number; bottom: number },
): Markup {
  const values = rows.flatMap(({ p50Us, upUs = p50Us }) => [p50Us / 1000, upUs / 1000]);
  const [low, high] = [Math.min(...values) / 1.15, Math.max(...values) * 1.15];
  const place = (ms: number) =>
    Math.round(
      axisFrom + ((Math.log(ms) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (axisTo - axisFrom),
    );
  const step = Math.min(72, (bottom - top) / rows.length);
  const size = Math.min(22, Math.round(step * 0.55));
  const end = top + step * rows.length;
  return html`<g
    >${durationTicks(values).map(
      ({ value, text: words }) =>
        html`<path
            d="M${place(value)} ${Math.round(top)}V${Math.round(end)}"
            stroke="${line}"
          />${textAt(place(value), end + 22, 17, dim, words, { anchor: 'middle' })}`,
    )}${rows.map(({ variant: { label, look }, p50Us, upUs = p50Us, said }, i) => {
      const y = Math.round(top + step * (i + 0.5));
      const [from, to] = [place(p50Us / 1000), place(upUs / 1000)];
      const color = hexOf(look, 'light');
      const dashes = dashOf(look.pattern).map((one) => one * 2);
      return html`${textAt(margin, y + size / 3, size, text, cut(label, axisFrom - margin - 24, size))}<path
          d="M${from} ${y}H${to}"
          stroke="${color}"
          stroke-width="6"
          stroke-dasharray="${dashes.join(' ')}"
        /><path d="M${to} ${y - 11}v22" stroke="${color}" stroke-width="5" /><path
          d="${outlineOf(look) ?? 'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0'}"
          transform="translate(${from},${y}) scale(2.2)"
          fill="${color}"
        />${textAt(axisTo + 28, y + size / 3, size, text, said)}`;
    })}${textAt(margin, end + 22, 17, dim, more > 0 ? `and ${more} more` : 'median to 99th percentile')}${
      rows.some(({ came }) => came) &&
      textAt(width - margin, end + 22, 17, dim, '* of the deliveries that arrived: others were lost', {
        anchor: 'end',
      })
    }</g
  >`;
}

function textAt(
  x: number,
  y: number,
  size: number,
  fill: string,
  words: string,
  { weight, anchor }: { weight?: number; anchor?: string } = {},
): Markup {
  return html`<text
    x="${x}"
    y="${Math.round(y)}"
    font-size="${size}"
    fill="${fill}"
    ${
      weight !== undefined && html` font-weight="${weight}"`
    }${anchor !== undefined && html` text-anchor="${anchor}"`}
    >${words}</text
  >`;
}

/** Scenario, day, machine. */
function aboutText(results: readonly Result[]): string {
  const [{ environment: e }] = results as [Result, ...Result[]]; // a report is of one at least
  const names = [...new Set(results.map(({ scenario }) => scenario.name))].join(', ');
  const days = [...new Set(results.map(({ createdAt }) => createdAt.slice(0, 10)))].sort();
  const day = days.length === 1 ? days[0]! : `${days[0]} to ${days.at(-1)}`;
  const where = results.some(({ targets }) => targets !== undefined) ? '' : ', over loopback';
  const made = results.some(({ simulated }) => simulated) ? 'simulated · ' : '';
  const machine = `${e.cpu}, ${e.cores} core${e.cores === 1 ? '' : 's'}, Node ${e.node}`;
  return `${made}${names} · ${day} · ${machine}${where}`;
}

/**
 * About how wide letters are, in their size: nothing measures text where the card is drawn. They are those of
 * DejaVu Sans, which few are wider than.
 */
function widthOf(words: string, size: number): number {
  let ems = 0;
  for (const letter of words)
    ems += /[iljtfr.,:;'|()[\] ]/.test(letter)
      ? 0.36
      : /[mwMW%@]/.test(letter)
        ? 0.96
        : /[A-Z]/.test(letter)
          ? 0.71
          : 0.63;
  return ems * size;
}

function cut(words: string, most: number, size: number): string {
  if (widthOf(words, size) <= most) return words;
  let kept = words;
  while (kept !== '' && widthOf(`${kept}…`, size) > most) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}

/** The words in as few lines as there may be, as large as they fit. */
function fitted(words: string, most: number, lines: number): { lines: string[]; size: number } {
  for (const size of [40, 36, 32, 28]) {
    const broken = wrapped(words, most, size);
    if (broken.length <= lines) return { lines: broken, size };
  }
  const size = 26;
  const [shown, rest] = [wrapped(words, most, size).slice(0, lines), wrapped(words, most, size).slice(lines)];
  // Bold, as below.
  const last = cut(rest.join(' '), most / bold, size);
  return { lines: [...shown, last], size };
}

/** Bold letters are a little wider. */
const bold = 1.1;

function wrapped(words: string, most: number, size: number): string[] {
  const lines: string[] = [''];
  for (const word of words.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.at(-1) === '' || widthOf(longer, size * bold) <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
