// Names the pages of the documentation that a report refers to.

import { html, type Markup } from './markup.ts';

/** Below the documentation's folder: a page for each pattern. */
export const patternDocs = 'patterns/';

/**
 * How a report names a pattern's page: a place that a reader can look up, whatever the page is opened with.
 */
export function docName(pattern: string): Markup {
  return html`<code class="doc">docs/${patternDocs}${pattern}.md</code>`;
}
