// Tests how HTML is made of templates: what is escaped, and which white space of a template reaches the page.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { html } from '../../../reports/page/markup.ts';

test('what a template is given is escaped, and keeps its own line ends', () => {
  const given = `a\n  <b> & "c" 'd'`;
  assert.equal(
    html`<pre title="${given}">${given}</pre>`.markup,
    '<pre title="a\n  &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;">' +
      'a\n  &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;</pre>',
  );
  assert.equal(html`<p>${['a', null, 1, undefined, html`<i>b</i>`, false]}</p>`.markup, '<p>a1<i>b</i></p>');
});

test('a line end beside the tag of a block is layout, one between words is a space', () => {
  const laid = html; // by another name, so that the formatter leaves the templates as they are
  const word = 'word';
  const cases: [string, string][] = [
    [
      laid`
        <ul>
          ${[1, 2].map(
            (one) => laid`<li>
              <b>${one}</b>:
              ${word}
            </li>`,
          )}
        </ul>
      `.markup,
      '<ul><li><b>1</b>: word</li><li><b>2</b>: word</li></ul>',
    ],
    [
      laid`<p class="${word}">
        In the package; <code>${word}</code>
        <code>open</code>
        shows them.
      </p>`.markup,
      '<p class="word">In the package; <code>word</code> <code>open</code> shows them.</p>',
    ],
    [
      laid`<span
        class="${word}"
        >${word}</span
      >`.markup,
      '<span class="word">word</span>',
    ],
    // A name that begins like that of a block is not one.
    [laid`<output>1</output>\n  <picture></picture>`.markup, '<output>1</output> <picture></picture>'],
  ];
  for (const [made, expected] of cases) assert.equal(made, expected);
});
