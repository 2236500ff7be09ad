// Makes captured text the same each time: dates, ports, the epoch and the clock are replaced, and lengths,
// chunks and signatures are made to fit what then stands there.

import { schemes } from '../../core/signature/schemes.ts';
import type { RunningServer } from '../../servers/start.ts';
import { framed, unframed } from './frames.ts';

/** The secret of the webhook page, so that a reader can check the signature. */
export const exampleSecret = 'whsec_cHVzaGJlbmNoLWRvY3VtZW50YXRpb24tZXhhbXBsZQ==';
export const exampleTimestampS = 1_795_435_200;
const exampleDate = 'Mon, 23 Nov 2026 12:00:00 GMT';

/**
 * Replaces what differs from one capture to the next.
 * @param server whose epoch and port are in it
 */
export function steadyText(text: string, server?: RunningServer): string {
  const epoch = server?.hub.epoch ?? /"id":"([a-z0-9]+)-\d+"/.exec(text)?.[1];
  const steady = unframed(text)
    .replaceAll(epoch ?? '\0', 'k3f9a1')
    .replace(/^(date): .*?(?=\r\n)/gim, `$1: ${exampleDate}`)
    .replace(/"seq":(\d+),"planned":\d+,"sent":\d+,"accepted":\d+/g, (_, seq: string) => {
      const stamp = 81_000_000 + Number(seq) * 250_000;
      return `"seq":${seq},"planned":${stamp},"sent":${stamp},"accepted":${stamp}`;
    })
    .replace(/(http:\/\/127\.0\.0\.1:)\d+\/hook/g, '$19000/hook')
    .replace(/^(host: 127\.0\.0\.1:)\d+/gim, (_, host: string) => `${host}${server ? 8080 : 9000}`)
    .replace(/\bep_[\w-]+/g, 'ep_2Jx9');
  return signed(framed(chunked(measured(steady))));
}

/** Content-Length as long as the body now is. */
function measured(text: string): string {
  const at = text.indexOf('\r\n\r\n');
  return at < 0
    ? text
    : text.replace(/^(content-length): [1-9]\d*/im, (_, name: string) => `${name}: ${text.length - at - 4}`);
}

function chunked(text: string): string {
  return text.replace(
    /(^|\r\n)[0-9a-f]+\r\n((?:(?!\r\n)[\s\S])+)(?=\r\n)/g,
    (_, before: string, chunk: string) => `${before}${chunk.length.toString(16)}\r\n${chunk}`,
  );
}

/** The signature that the example's secret gives for the body and time that now stand there. */
function signed(text: string): string {
  const [, id] = /^webhook-id: (.*?)\r\n/im.exec(text) ?? [];
  if (id === undefined) return text;
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  const attempt = Number(/^pushbench-attempt: (\d+)/im.exec(text)?.[1] ?? 1);
  const timestampS = exampleTimestampS + attempt - 1;
  const fresh = schemes.standard.sign([schemes.standard.key(exampleSecret)], { id, timestampS, body });
  return text
    .replace(/^(webhook-timestamp): \d+/im, `$1: ${timestampS}`)
    .replace(/^(webhook-signature): .*?(?=\r\n)/im, `$1: ${fresh['webhook-signature']}`);
}
