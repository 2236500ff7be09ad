// Writes the requests that publish events to a target: our envelope inside whatever body the target wants.

import { encodeEnvelope } from '../../core/event/envelope.ts';
import type { TargetAccess } from '../../core/target/access.ts';
import type { Dialect } from '../publisher/dialect.ts';
import { fill } from '../../core/base/template.ts';

/** A target numbers nothing: our envelope carries the number that the publisher gave. */
export function targetDialect({ publish, run, topics, ca, secrets }: TargetAccess): Dialect {
  const url = new URL(fill(publish.url, { topic: 'x', topics: 'x' }));
  const path = publish.url.slice(publish.url.indexOf('/', publish.url.indexOf('//') + 2));
  const head = Object.entries(publish.headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return {
    system: 'the target',
    url,
    ca,
    secrets,
    ownNumbers: true,
    numberIn: (_body, seq) => seq,
    isSuccess: (status) => status >= 200 && status <= 299,
    encode({ number, bytes: _bytes, ...rest }) {
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
