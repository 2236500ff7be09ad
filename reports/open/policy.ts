// Says what a page that `pushbench open` serves may do: run the scripts of this build that it holds, each by
// its hash, and nothing else. Nothing is loaded from anywhere.

import { createHash } from 'node:crypto';
import { chartScriptText } from '../page/chart-script.ts';
import { interactiveScripts } from '../page/interactive.ts';
import type { Answer } from './web-answer.ts';

/** Pictures are what a chart is copied through. */
const rest =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; " +
  "frame-ancestors 'none'";

/**
 * The policy of one answer. A stored page of another build has other scripts; it is whole without them.
 */
export async function policyFor({ mediaType, body }: Pick<Answer, 'mediaType' | 'body'>): Promise<string> {
  if (mediaType !== 'text/html') return rest;
  const own = (text: string) => body.includes(`<script>${text}</script>`);
  const allowed = own(chartScriptText) ? [hashOf(chartScriptText)] : [];
  // Read only for pages that have them, and then once.
  if (body.includes('id="specs"')) {
    const scripts = await (interactive ??= interactiveScripts());
    // Vega makes functions of text.
    if (scripts.every(own)) allowed.push(...scripts.map(hashOf), "'unsafe-eval'");
  }
  return allowed.length === 0 ? rest : `${rest}; script-src ${allowed.join(' ')}`;
}

let interactive: ReturnType<typeof interactiveScripts> | undefined;

function hashOf(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}
