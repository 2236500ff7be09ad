// Tells users of a runtime that is too old: Node 26.5 is the first whose event-loop monitor can count turns,
// and older ones ignore that and measure by a timer, which costs CPU. `engines` in package.json says it.

import { UserError } from '../core/base/errors.ts';
import { leastNode } from '../harness/run/version.ts';

/**
 * @param version as `process.version` has it
 * @throws UserError when it is older
 */
export function requireNode(version: string): void {
  const [major = 0, minor = 0] = version.replace('v', '').split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = leastNode.split('.').map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  throw new UserError(
    'node-version',
    `pushbench needs Node ${leastNode} or newer, and this is ${version}. Install a current Node, or run ` +
      'it from its repository with npm start.',
  );
}
