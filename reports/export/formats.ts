// Lists the forms that results can take, by name: those that `pushbench report --format` writes and
// `pushbench open` links to.

import { withFigures } from '../../core/metrics/trial-figures.ts';
import { printableJson } from '../../core/base/printable.ts';
import type { Result } from '../../core/result/result.ts';
import { renderCsv } from './csv.ts';
import { renderHgrm, renderHlog } from './hdr.ts';
import { renderJunit } from './junit.ts';
import { renderSummary } from './summary.ts';
import { renderMarkdown } from '../text/markdown.ts';
import { variantsOf } from '../summary/variants.ts';

export const formats = {
  html: { extension: 'html', mediaType: 'text/html', what: 'the report, one page' },
  card: { extension: 'svg', mediaType: 'image/svg+xml', what: 'a picture of 1200 x 630 to share' },
  markdown: { extension: 'md', mediaType: 'text/markdown', what: 'for a job summary' },
  junit: {
    extension: 'xml',
    mediaType: 'application/xml',
    what: 'a suite for each trial, a case for each expectation',
  },
  csv: { extension: 'csv', mediaType: 'text/csv', what: 'a row for each metric of each trial' },
  hlog: {
    extension: 'hlog',
    mediaType: 'text/plain',
    what: 'HdrHistogram log of delivery latency, tagged by variant',
  },
  hgrm: {
    extension: 'hgrm',
    mediaType: 'text/plain',
    what: 'HdrHistogram percentiles of delivery latency, a file for each variant',
  },
  summary: {
    extension: 'json',
    mediaType: 'application/json',
    what: 'the answer as data: figures at this load, reasons, bounds',
  },
  json: {
    extension: 'json',
    mediaType: 'application/json',
    what: 'the results themselves, and their figures by name',
  },
} as const;

export type Format = keyof typeof formats;

/** What a form that is not text is called beside its result; the others go to standard output. */
export const fileNames: Readonly<Partial<Record<Format, string>>> = { html: 'report.html', card: 'card.svg' };
/** `part` tells documents of one report apart: the variant; empty where there is one document by nature. */
export type Document = { part: string; text: string };

/** One document, or one for each variant where the format holds no more. */
export async function documentsOf(
  format: Format,
  results: readonly Result[],
  options: { interactive: boolean },
): Promise<Document[]> {
  if (format === 'hgrm') {
    return variantsOf(results).flatMap((variant) => {
      const text = renderHgrm(variant);
      return text === undefined ? [] : [{ part: variant.label, text }];
    });
  }
  return [{ part: '', text: await renderWhole(format, results, options) }];
}

async function renderWhole(
  format: Exclude<Format, 'hgrm'>,
  results: readonly Result[],
  options: { interactive: boolean },
): Promise<string> {
  switch (format) {
    // Charts take a while to load, and only these forms have them.
    case 'html':
      return (await import('../page/report.ts')).renderHtml(results, options);
    case 'card':
      return (await import('../page/card.ts')).renderCard(results);
    case 'markdown':
      return renderMarkdown(results);
    case 'junit':
      return renderJunit(results);
    case 'csv':
      return renderCsv(results);
    case 'hlog':
      return renderHlog(results);
    case 'summary':
      return renderSummary(results);
    case 'json':
      return `${printableJson(results.length === 1 ? withFigures(results[0]!) : results.map(withFigures))}\n`;
  }
}

export function isFormat(name: string): name is Format {
  return Object.hasOwn(formats, name);
}
