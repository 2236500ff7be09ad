// Connects a hub, publishes, and closes when its input ends, with an event under way; the process ends by
// itself when nothing of the broker is left.

import { once } from 'node:events';
import type { BrokerAccess } from '../../../core/protocol/control.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { connectBroker } from '../../../servers/brokers/connect.ts';

const access = JSON.parse(process.argv[2]!) as BrokerAccess; // the test's
const { hub, close } = await connectBroker(access, defaultLimits);
await hub.publish('a', '1', {});
process.stdout.write('published\n');
process.stdin.resume();
await once(process.stdin, 'end');
const underWay = hub.publish('a', '2', {}).then(
  () => 'taken',
  () => 'refused',
);
await close();
await underWay;
