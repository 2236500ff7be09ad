// Draws what stands above a report: which scenario, when and on which machine, and the list of its parts.

import type { Result } from '../../core/result/result.ts';
import { counted } from '../../core/base/counted.ts';
import { isSimulated } from '../summary/simulated.ts';
import { html, type Markup } from './markup.ts';

/** A part of the page by its id. */
export type Entry = { id: string; title: string };

/** The bar on top. For several results, it has what they share. */
export function pageTop(results: readonly Result[]): Markup {
  const same = (of: (result: Result) => string) => {
    const all = [...new Set(results.map(of))];
    return all.length === 1 ? all[0]! : undefined;
  };
  const names = [...new Set(results.map(({ scenario }) => scenario.name))];
  const pills = [
    results.length === 1 ? undefined : counted(results.length, 'result'),
    simulatedPill(results),
    same(({ createdAt }) => whenText(createdAt)),
    same(({ environment: e }) => `${e.cpu}, ${counted(e.cores, 'core')}`) ?? 'several machines',
    same(({ environment: e }) => `Node ${e.node.replace(/^v/, '')}`),
  ];
  return barOf(names.join(', '), pills);
}

function simulatedPill(results: readonly Result[]): string | undefined {
  const count = results.filter(isSimulated).length;
  if (count === 0) return undefined;
  return count === results.length ? 'simulated' : `${count} of them simulated`;
}

/** The bar of any page: what it is about, and a few facts. */
export function barOf(name: string, pills: readonly (string | undefined)[]): Markup {
  return html`<header class="top">
    <b>pushbench</b> <span class="name">${name}</span>
    ${pills.map((pill) => pill !== undefined && html`<span class="pill">${pill}</span> `)}
  </header>`;
}

/** `28 Nov 2026, 23:14 UTC` */
export function whenText(iso: string): string {
  return `${dayOf(iso)}, ${iso.slice(11, 16)} UTC`;
}

/** The contents: beside the page where there is room, else to be unfolded on top of it. */
export function contents(entries: readonly Entry[]): Markup {
  return html`<nav class="contents" aria-label="Contents">
    <details>
      <summary>Contents</summary>
      <ul>
        ${entries.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
      </ul>
    </details>
  </nav>`;
}

/** A part that few need: its heading, to be unfolded. */
export function folded(heading: string, body: Markup): Markup {
  return html`<details class="part">
    <summary><h2>${heading}</h2></summary>
    ${body}
  </details>`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `28 Nov 2026` */
function dayOf(iso: string): string {
  return `${Number(iso.slice(8, 10))} ${months[Number(iso.slice(5, 7)) - 1] ?? ''} ${iso.slice(0, 4)}`;
}
