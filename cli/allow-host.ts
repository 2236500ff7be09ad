// Checks the names that `--allow-host` was given, for the commands that serve.

import { UserError } from '../core/base/errors.ts';
import { allowedHost } from '../core/http/access.ts';

/** @throws UserError when one is neither a name nor an address */
export function checkedHosts(given: readonly string[]): string[] {
  return given.map((text) => {
    const host = allowedHost(text);
    if (host !== undefined && host !== '') return host;
    const how =
      'give a name or an address alone, such as bench.example, without scheme, port, path or wildcard.';
    throw new UserError('allow-host', `--allow-host ${text} is not a host: ${how}`);
  });
}
