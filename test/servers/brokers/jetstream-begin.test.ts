// Holds that servers which begin at the same moment have one epoch: NATS answers the second who asks for a
// stream while it makes it for the first, and says then that it was made in the year 1.

import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'vitest';
import { accessTo } from '../../broker-servers.ts';
import { noNats, startNats } from '../../nats-server.ts';
import { skipWhen } from '../../skip.ts';
import { join } from './hubs.ts';

/** NATS as the second sees it: its first answer about a stream is that of one that is being made. */
async function throughSecond(t: TestContext, url: string) {
  const { hostname, port } = new URL(url);
  let changed = 0;
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    client.pipe(server);
    server.on('data', (bytes) => {
      // As long as before, since the protocol says how long a message is.
      const text = bytes.toString('latin1').replace(/"created":"([^"]*)"/, (made, time: string) => {
        if (changed++ > 0) return made;
        return `"created":"0001-01-01T00:00:00Z"${' '.repeat(time.length - 20)}`;
      });
      client.write(text, 'latin1');
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.onTestFinished(() => void proxy.close());
  return { url: `nats://127.0.0.1:${(proxy.address() as AddressInfo).port}`, changed: () => changed };
}

test('a stream that NATS is still making is waited for, and no epoch is made of it', async (t) => {
  skipWhen(t, noNats);
  const nats = await startNats();
  t.onTestFinished(nats.stop);
  const access = accessTo('jetstream', nats);
  const first = await join(t, access);
  const second = await throughSecond(t, nats.url);
  const { hub } = await join(t, { ...access, url: second.url });
  assert.ok(second.changed() > 1, 'it asked again');
  assert.equal(hub.epoch, first.hub.epoch);
});
