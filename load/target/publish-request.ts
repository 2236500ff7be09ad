// Writes the requests that publish events to a target: our envelope inside whatever body the target wants.

import { encodeEnvelope } from '../../core/event/envelope.ts';
import type { TargetAccess } from '../../core/target/access.ts';
import { fill } from '../../core/base/template.ts';

/** One event to publish; `number` counts the events of the run from 1. */
export type TargetEvent = {
  number: number;
  topic: string;
  seq: number;
  plannedUs: number;
  sentUs: number;
  crc: number;
  body: string;
};

export type PublishRequests = {
  /** Where requests go; its path may be another topic's. */
  readonly url: URL;
  encode(event: TargetEvent): Buffer;
};

export function createPublishRequests({ publish, run, topics }: TargetAccess): PublishRequests {
  const url = new URL(fill(publish.url, { topic: 'x', topics: 'x' }));
  const path = publish.url.slice(publish.url.indexOf('/', publish.url.indexOf('//') + 2));
  const head = Object.entries(publish.headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return {
    url,
    encode({ number, ...rest }) {
      const event = encodeEnvelope({ id: `${run}-${number}`, acceptedUs: 0, ...rest });
      const topic = topics === 'fresh' ? `${rest.topic}.${run}` : rest.topic;
      const body =
        publish.body === '{event}'
          ? event
          : fill(publish.body, { event, eventString: JSON.stringify(event), topic });
      return Buffer.from(
        `${publish.method} ${fill(path, { topic, topics: topic })} HTTP/1.1\r\n` +
          `host: ${url.host}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${head}\r\n${body}`,
      );
    },
  };
}
