// Frames what `pushbench open` shows besides reports as a page in the report's style.

import { html, type Markup } from './markup.ts';
import { barOf } from './page-head.ts';
import { style } from './style.ts';

/** A page in the report's style. */
export function pageOf(title: string, body: Markup): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}: pushbench</title>
        <style>
          ${{ markup: style }}
        </style>
      </head>
      <body>
        ${barOf(title, [])}
        <main>${body}</main>
      </body>
    </html> `.markup;
}
