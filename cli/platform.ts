// Tells users of a system that pushbench does not run on what to use instead.

import { UserError } from '../core/base/errors.ts';

/** The same sentence as in scripts/bootstrap.mjs, which runs before anything is installed. */
const onWindows =
  'pushbench runs on Linux and macOS. On Windows run it in WSL, or in a container: "docker build -t ' +
  'pushbench ." and then "docker run --rm --init pushbench npm start".';

/**
 * @param platform as `process.platform` has it
 * @throws UserError where it is Windows
 */
export function requirePlatform(platform: NodeJS.Platform): void {
  if (platform === 'win32') throw new UserError('platform', onWindows);
}
