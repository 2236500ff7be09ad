// Holds that `target check` says what to fix where a system does not do what its target file says.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'vitest';
import { processes } from '../../../harness/trial/fleet.ts';
import { checkTarget, type Finding } from '../../../harness/target/check.ts';
import { openTarget } from '../../../harness/target/open.ts';
import { certificate, key } from '../../load/certificate.ts';
import { listen } from '../../load/context.ts';
import { writeTarget } from './foreign.ts';
import { plainTarget, sendAll, startSystem } from './small-system.ts';

async function check(t: TestContext, yaml: string): Promise<Finding> {
  const [finding] = await checkTarget(openTarget(writeTarget(t, yaml), {}), 'check', processes);
  assert.equal(finding!.works, false, finding!.message);
  return finding!;
}
const rows: [what: string, file: (t: TestContext) => Promise<string>, message: RegExp, hint: RegExp][] = [
  ['nothing listens', async () => plainTarget('http://127.0.0.1:1'), /nothing listens there/, /^$/],
  [
    'publishing is answered 404',
    async (t) =>
      plainTarget(await startSystem(t, (_, response) => void response.writeHead(404).end('no such page'))),
    /could not be published: an event was answered with status 404: no such page/,
    /There is nothing at http:.*\/p\/\{topic\}\. Is publish the right path/,
  ],
  [
    'a content type that it does not take',
    async (t) => plainTarget(await startSystem(t, (_, response) => void response.writeHead(415).end())),
    /status 415/,
    /does not take the content type application\/json: set publish\.type/,
  ],
  [
    'a method that it does not take',
    async (t) => plainTarget(await startSystem(t, (_, response) => void response.writeHead(405).end())),
    /status 405/,
    /does not take POST .*: set publish\.method/,
  ],
  [
    'a body that it does not take',
    async (t) => plainTarget(await startSystem(t, (_, response) => void response.writeHead(400).end())),
    /status 400/,
    /another body: say so with publish\.body/,
  ],
  [
    'it fails',
    async (t) => plainTarget(await startSystem(t, (_, response) => void response.writeHead(500).end())),
    /status 500/,
    /its log may say why/,
  ],
  [
    'it takes the event and sends nothing',
    async (t) => plainTarget(await startSystem(t, (_, response) => void response.end())),
    /published, but nothing came back within 5 s/,
    /Published to .*\/p\/\{topic\}, subscribed to .*\/s\./,
  ],
  [
    'it sends something else',
    async (t) =>
      plainTarget(
        await startSystem(t, (_, response, open) => (sendAll(open, '{"note":"hello"}'), void response.end())),
      ),
    /what came back is not our event: "\{\\"note\\":\\"hello\\"\}"/,
    /The body must come back somewhere/,
  ],
  [
    'it changes the body',
    async (t) =>
      plainTarget(
        await startSystem(
          t,
          (body, response, open) => (
            sendAll(open, body.replace('pushbench"', 'someone"')),
            void response.end()
          ),
        ),
      ),
    /its body is not the one that was published/,
    /rewrites what it carries/,
  ],
  [
    'no event stream',
    async (t) =>
      plainTarget(
        await startSystem(
          t,
          () => {},
          (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
        ),
      ),
    /content type "text\/html"/,
    /This is not an event stream\. Is .*\/s the URL for sse\?/,
  ],
  [
    'a login',
    async (t) =>
      plainTarget(
        await startSystem(
          t,
          () => {},
          (_, response) => void response.writeHead(401).end(),
        ),
      ),
    /the server answered 401/,
    /It wants credentials: headers/,
  ],
  [
    'a login that fails',
    async (t) =>
      plainTarget(
        await startSystem(
          t,
          () => {},
          (_, response) => void response.writeHead(401).end(),
        ),
        'headers: { Authorization: Bearer of-yesterday }\n',
      ),
    /the server answered 401/,
    /It does not take the credentials in headers\.authorization/,
  ],
  [
    'a redirect, which is not followed',
    async (t) =>
      plainTarget(
        await startSystem(
          t,
          () => {},
          (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
        ),
      ),
    /answered 302/,
    /redirects are not followed/,
  ],
  [
    'no TLS there',
    async (t) => plainTarget((await startSystem(t, () => {})).replace('http:', 'https:')),
    /it does not speak TLS there \(\w+\)\. Is it http:\/\/ instead of https:\/\/\?/,
    /^$/,
  ],
  [
    'a certificate that nobody vouches for',
    async (t) => {
      const { createServer: createSecure } = await import('node:https');
      return plainTarget(
        (await listen(t, createSecure({ cert: certificate, key }))).replace('http:', 'https:'),
      );
    },
    /not signed by an authority that is known here \(\w*SELF_SIGNED\w*\)\. Name the PEM file/,
    /^$/,
  ],
];

describe('target check says what to mend', { concurrent: true }, () => {
  for (const [what, file, message, hint] of rows) {
    test(what, async (t) => {
      const finding = await check(t, await file(t));
      assert.match(finding.message, message);
      assert.match(finding.hint ?? '', hint);
    });
  }
});
