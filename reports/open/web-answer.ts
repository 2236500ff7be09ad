// Defines what `pushbench open` answers with: a document, or a page that says what is wrong.

import { html } from '../page/markup.ts';
import { pageOf } from '../page/page-of.ts';

export type Answer = { status: number; mediaType: string; body: string };

export const page = (body: string): Answer => ({ status: 200, mediaType: 'text/html', body });

/** A page that says what is wrong. */
export const wrong = (status: number, text: string): Answer => ({
  status,
  mediaType: 'text/html',
  body: pageOf(
    String(status),
    html`<h1>${status}</h1>
      <p class="headline">${text}</p>
      <p><a href="/">All runs</a></p>`,
  ),
});

export const nothing = wrong(404, 'There is nothing here.');
