// Finds which brokers are installed here, and whether HAProxy is.

import { UserError } from '../../core/base/errors.ts';
import { brokerNames, inFront } from '../../core/scenario/servers.ts';
import { brokerVersion } from '../cluster/brokers.ts';
import { frontVersion } from '../cluster/in-front.ts';
import type { Versions } from './cluster-of.ts';
import type { Installed } from './cluster-points.ts';

export type Here = {
  installed: Installed;
  versions: Versions;
  /** A sentence for each that is not. */
  absent: string[];
};

export const nothingInstalled: Here = {
  installed: { brokers: [], haproxy: false },
  versions: {},
  absent: [],
};

export function installedHere(): Here {
  const versions: Versions = {};
  const absent: string[] = [];
  const look = (name: keyof Versions, version: () => string | undefined) => {
    try {
      versions[name] = version() ?? 'unknown';
      return true;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      absent.push(error.message.split('\n')[0]!);
      return false;
    }
  };
  const brokers = brokerNames
    .filter((kind) => kind !== 'in-process' && kind !== 'kafka') // no stand-in has times of its own
    .filter((kind) => look(kind, () => brokerVersion({ kind, url: undefined })));
  const haproxy = look('haproxy', () => frontVersion(inFront.parse('haproxy')));
  return { installed: { brokers, haproxy }, versions, absent };
}
