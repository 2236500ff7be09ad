// Reads the text of a profile, and says why a text is not one.

import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { issuesText } from '../base/issues.ts';
import { parseJson } from '../base/json.ts';
import { profileFormat, profileSchema, profileVersion, readableVersions, type Profile } from './profile.ts';

const head = z.looseObject({ format: z.literal(profileFormat), version: z.number() });

/**
 * @param file what messages call it
 * @throws UserError `profile` when the text is not a profile, or one that this version cannot read
 */
export function parseProfile(text: string, file: string): Profile {
  const hint = 'npm start -- calibrate makes one of this machine.';
  const json = parseJson(text);
  if ('problem' in json) throw new UserError('profile', `${file} is not whole JSON${json.problem}. ${hint}`);
  const { success, data } = head.safeParse(json.value);
  if (!success)
    throw new UserError(
      'profile',
      `${file} is JSON, but not a profile of pushbench (its "format" is not "${profileFormat}"). ${hint}`,
    );
  if (!readableVersions.some((one) => one === data.version))
    throw new UserError(
      'profile',
      `${file} has version ${data.version} of the profile format, and this pushbench reads ` +
        `${readableVersions.join(' and ')}. ` +
        (data.version > profileVersion ? 'Upgrade pushbench.' : hint),
    );
  const parsed = profileSchema.safeParse(json.value);
  if (!parsed.success)
    throw new UserError('profile', `${file} is not valid:\n${issuesText(parsed.error)}\n${hint}`);
  return parsed.data;
}
