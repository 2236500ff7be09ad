// Turns the documentation into pages for `pushbench open`: the part of Markdown that it is written in, as
// HTML. A report names a page by its place in the package; where the pages are served too, the name becomes a
// link.

import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readText } from '../../core/base/read-file.ts';
import { patternDocs } from '../page/doc-name.ts';
import { html, raw, type Markup } from '../page/markup.ts';
import { pageOf } from '../page/page-of.ts';

/** Below the documentation's folder, besides its own pages. */
const rooms = [patternDocs, 'cluster/', 'measured/', 'reference/'];

/** The report with the names of pages as links to where they are served. */
export function linkedDocs(report: string): string {
  return report.replace(
    /<code class="doc">docs\/([a-z0-9/-]+)\.md<\/code>/g,
    (_, path: string) => `<a class="doc" href="/docs/${path}">docs/${path}.md</a>`,
  );
}

/** The patterns' pages that there are. */
export async function docTitles(folder: URL): Promise<{ path: string; title: string }[]> {
  const names = (await markdownFiles(new URL(patternDocs, folder))).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const text = pageText(new URL(`${patternDocs}${name}.md`, folder));
      return { path: `/docs/${patternDocs}${name}`, title: /^# (.+)$/m.exec(text)?.[1] ?? name };
    }),
  );
}

/**
 * @param path segments of the address below the folder, without an ending
 * @returns `undefined` when there is no such page: the name is looked up in the folder's own list
 */
export async function docPage(folder: URL, path: readonly string[]): Promise<string | undefined> {
  const name = path.at(-1) ?? '';
  const room = path.length === 2 ? rooms.find((one) => one === `${path[0]}/`) : '';
  if (room === undefined || path.length > 2) return undefined;
  const place = new URL(room, folder);
  if (!(await markdownFiles(place)).includes(name)) return undefined;
  const text = pageText(new URL(`${name}.md`, place));
  return pageOf(
    /^# (.+)$/m.exec(text)?.[1] ?? name,
    html`<article class="doc">${markdownBlocks(text, `/docs/${room}`)}</article>
      <p><a href="/">All runs</a></p>`,
  );
}

function pageText(place: URL): string {
  return readText(fileURLToPath(place), 'page', {
    code: 'docs',
    what: 'Cannot read a page of the documentation',
  });
}

async function markdownFiles(folder: URL): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /^[a-z0-9-]+\.md$/.test(entry.name))
    .map(({ name }) => name.slice(0, -'.md'.length));
}

/**
 * Headings, paragraphs, lists of one level, tables, fenced code; comments are left out.
 * @param base the address that links are relative to
 */
export function markdownBlocks(text: string, base: string): Markup[] {
  const blocks: Markup[] = [];
  const fences = text.split(/^```.*\n([\s\S]*?)^```$/m);
  fences.forEach((part, i) => {
    if (i % 2 === 1) blocks.push(html`<pre tabindex="0"><code>${part.trimEnd()}</code></pre>`);
    else
      for (const block of part.replace(/<!--[\s\S]*?-->/g, '').split(/\n{2,}|(?<=^#.*)\n/m))
        if (block.trim() !== '') blocks.push(blockOf(block.trim(), base));
  });
  return blocks;
}

function blockOf(block: string, base: string): Markup {
  const heading = /^(#{1,3}) (.*)$/.exec(block);
  if (heading)
    return html`${raw(`<h${heading[1]!.length}>`)}${inline(heading[2]!, base)}${raw(
      `</h${heading[1]!.length}>`,
    )}`;
  const lines = block.split('\n');
  if (lines.every((line) => line.startsWith('|'))) return tableOf(lines, base);
  const [, marker] = /^(- |\d+\. )/.exec(block) ?? [];
  if (marker !== undefined) {
    const items = block
      .split(marker === '- ' ? /^- /m : /^\d+\. /m)
      .slice(1)
      .map((item) => html`<li>${inline(item.trim(), base)}</li>`);
    return marker === '- '
      ? html`<ul>
          ${items}
        </ul>`
      : html`<ol>
          ${items}
        </ol>`;
  }
  return html`<p>${inline(block, base)}</p>`;
}

function tableOf(lines: readonly string[], base: string): Markup {
  const cells = (line: string) =>
    line
      .replace(/^\||\|\s*$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => inline(cell.trim().replaceAll(String.raw`\|`, '|'), base));
  const [head = '', , ...rows] = lines;
  return html`<div class="scroll" role="region" aria-label="Table" tabindex="0">
    <table class="prose">
      <thead>
        <tr>
          ${cells(head).map((cell) =>
            cell.some(({ markup }) => markup !== '') ? html`<th scope="col">${cell}</th>` : html`<td></td>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${cells(row).map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Code, bold and slanted text, and links; a picture is its description. */
function inline(text: string, base: string): Markup[] {
  return text
    .split(/(`[^`]+`|\*\*.+?\*\*|(?<![\w*])\*[^*\s][^*]*\*(?![\w*])|!?\[[^\]]*\]\([^)]*\))/)
    .map((part) => {
      if (/^`[^`]+`$/.test(part)) return html`<code>${part.slice(1, -1)}</code>`;
      if (/^\*\*.+\*\*$/.test(part)) return html`<b>${inline(part.slice(2, -2), base)}</b>`;
      if (/^\*[^*]+\*$/.test(part)) return html`<em>${inline(part.slice(1, -1), base)}</em>`;
      const [, picture, label = '', target = ''] = /^(!?)\[([^\]]*)\]\(([^)]*)\)$/.exec(part) ?? [];
      if (picture === undefined) return html`${part}`;
      const address = picture === '' ? addressOf(target, base) : undefined;
      return address === undefined
        ? html`${inline(label, base)}`
        : html`<a href="${address}" rel="noreferrer">${inline(label, base)}</a>`;
    });
}

/** Where a link leads that is served here, or elsewhere by its whole address. */
function addressOf(target: string, base: string): string | undefined {
  if (/^https?:\/\//.test(target)) return target;
  const { pathname } = new URL(target, `http://docs${base}`);
  return /^\/docs\/(?:[a-z]+\/)?[a-z0-9-]+\.md$/.test(pathname)
    ? pathname.slice(0, -'.md'.length)
    : undefined;
}
