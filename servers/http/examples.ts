// Makes what the lines of `pushbench serve` have in common: the one that publishes, and how curl asks.

import type { Example } from '../pattern.ts';

export const publishExample: Example = {
  what: 'publish an event to the topic news',
  command: (_url, publishUrl) => `curl -d '{"headline":"it works"}' '${publishUrl}/topics/news'`,
};

/** A curl that asks for gzip where it is wanted, and shows the head of the answer, which says how it came. */
export function curlAsking(curl: string, gzip: boolean): string {
  if (!gzip) return curl;
  return `${curl}${/ -\w*i/.test(curl) ? '' : ' -i'} --compressed`;
}
