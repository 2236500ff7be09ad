// Finds the profile of a machine: a shipped one by its name, any other by its path.

import { globSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../core/base/errors.ts';
import { readText } from '../core/base/read-file.ts';
import { listNames, nearest } from '../core/base/suggest.ts';
import { parseProfile } from '../core/profile/parse.ts';
import type { Profile } from '../core/profile/profile.ts';
import { packageRoot } from '../harness/run/version.ts';

const shippedFolder = fileURLToPath(new URL('profiles/', packageRoot));
const ownText = 'npm start -- calibrate makes one of this machine, and --profile FILE names it';

/**
 * @param given a path (it has a slash or ends in .json), or the name of a shipped profile; when left out, the
 *   only shipped profile
 * @throws UserError `profile` if there is none, or it cannot be read
 */
export function openProfile(given: string | undefined): Profile {
  const isPath = given !== undefined && (given.includes('/') || extname(given) === '.json');
  const file = isPath ? resolve(given) : shippedFile(given);
  const name = isPath ? given : `profiles/${basename(file)}`;
  return parseProfile(
    readText(file, 'profile', {
      code: 'profile',
      what: `Cannot read the profile ${name}`,
      next: `${ownText}.`,
    }),
    name,
  );
}

function shippedFile(given: string | undefined): string {
  const shipped = globSync('*.json', { cwd: shippedFolder })
    .map((file) => basename(file, '.json'))
    .sort();
  const only = shipped.length === 1 ? shipped[0] : undefined;
  const name = given ?? only;
  if (name !== undefined && shipped.includes(name)) return resolve(shippedFolder, `${name}.json`);
  if (shipped.length === 0)
    throw new UserError(
      'profile',
      `No profile of a machine is shipped, so there is nothing to simulate with: ${ownText}.`,
    );
  if (name === undefined)
    throw new UserError(
      'profile',
      `Several profiles are shipped; name one with --profile: ${listNames(shipped)}.`,
    );
  const near = nearest(name, shipped);
  throw new UserError(
    'profile',
    `There is no profile called "${name}"${near ? `; did you mean "${near}"?` : '.'} Shipped are: ` +
      `${listNames(shipped)}. ${ownText}.`,
  );
}
