// Finds the code blocks of the documentation, with what each says of itself: its language, whether it only
// illustrates, and the file that it is.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';

export type Block = {
  /** The page, and the line of it on which the block begins. */
  file: string;
  line: number;
  language: string;
  /** What stands behind the language. */
  mark: string;
  /** The file that it is: `app.mjs` where its first line is the comment `app.mjs` or `app.mjs: ...`. */
  title: string | undefined;
  text: string;
};

export const pages = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md']).toSorted();

export function blocksOf(file: string): Block[] {
  // What stands between the fences is every second part; the info string of a fence is its first line.
  const parts = readFileSync(file, 'utf8').split(/^```/m);
  assert.equal(parts.length % 2, 1, `${file}: a code block that does not end`);
  let line = 1;
  return parts.flatMap((part, i) => {
    const at = line;
    line += part.split('\n').length - 1;
    if (i % 2 === 0) return [];
    const [info = '', ...lines] = part.split('\n');
    const [language = '', ...marks] = info.trim().split(' ');
    const [, title] = /^\/\/ ([\w./-]+\.[cm]?[jt]s)(?::|$)/.exec(lines[0] ?? '') ?? [];
    return [{ file, line: at, language, mark: marks.join(' '), title, text: lines.join('\n') }];
  });
}

/** Where to look: `docs/api.md:8`. */
export const placeOf = ({ file, line }: Block): string => `${file}:${line}`;
