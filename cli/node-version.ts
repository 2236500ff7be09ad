// Names the oldest runtime that measures as the documents say, and tells users of an older one.

import { UserError } from '../core/base/errors.ts';

/**
 * The first whose event-loop monitor can count turns; older ones ignore that and measure by a timer, which
 * costs CPU. As `engines` in package.json.
 */
export const leastNode = '26.5';

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
