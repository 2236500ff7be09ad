// Turns Markdown of the documentation into HTML, as `pushbench open` shows it.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { markdownBlocks } from '../../../reports/open/docs.ts';

test('Markdown of the documentation becomes HTML, and nothing in it more than that', () => {
  const markup = (text: string) =>
    markdownBlocks(text, '/docs/patterns/')
      .map((block) => block.markup)
      .join('\n');
  const rows: [string, string][] = [
    [
      '# A `b` <c>\ntext **bold `code`**',
      '<h1>A <code>b</code> &lt;c&gt;</h1>\n<p>text <b>bold <code>code</code></b></p>',
    ],
    ['- one\n- two\n  more', '<ul><li>one</li><li>two\n  more</li></ul>'],
    ['1. one\n2. two', '<ol><li>one</li><li>two</li></ol>'],
    [
      '```http\nGET / <x>\n\n# no heading\n```',
      '<pre tabindex="0"><code>GET / &lt;x&gt;\n\n# no heading</code></pre>',
    ],
    ['<!-- left\n\nout -->\nkept', '<p>kept</p>'],
    [
      '[a](sse.md) [b](../wire.md) [c](../../README.md) [d](https://e.example/?a=1&b) ' +
        '[f](javascript:alert(1)) ![g](h.png)',
      '<p><a href="/docs/patterns/sse" rel="noreferrer">a</a> <a href="/docs/wire" ' +
        'rel="noreferrer">b</a> c <a href="https://e.example/?a=1&amp;b" rel="noreferrer">d</a> f) g</p>',
    ],
  ];
  for (const [text, expected] of rows) assert.equal(markup(text), expected);
  assert.match(
    markup('| a | b |\n| --- | --: |\n| `x` | 1 |'),
    /<th scope="col">b<\/th>.*<td><code>x<\/code><\/td><td>1<\/td>/,
  );
});
