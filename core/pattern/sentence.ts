// Begins a sentence: with a capital, and with a pattern's name as people write it (`SSE`, `WebSocket`).

import { patternNamed } from './registry.ts';

/** @param text what may begin with a label: `sse over=h2 lost 3 of 10 deliveries` */
export function sentenceStart(text: string): string {
  const word = /^[a-z-]*/.exec(text)![0]; // matches any text
  const title = patternNamed(word)?.title;
  return title === undefined
    ? `${text.charAt(0).toUpperCase()}${text.slice(1)}`
    : `${title}${text.slice(word.length)}`;
}
