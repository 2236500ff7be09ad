// A target that repeats what it was sent, its authorization, its URL and its body, in every coding and cut at
// any place: of the secrets in them nothing stands in what is printed or written.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { coreOf, encoders } from '../core/secrets/encoders.ts';
import { listen } from '../load/context.ts';
import { resultFolders, start, temporaryFolder, writeScenario } from './tools.ts';

/** Each coding changes something of it. */
const secret = 'tok "55/12"+a&<b>\'% é=';
const password = 'open sesame/7';
const login = Buffer.from(`anna:${password}`).toString('base64');

process.env['ECHO_TOKEN'] = secret;
process.env['ECHO_LOGIN'] = login;
process.env['ECHO_TENANT'] = 'abc';

const names = Object.keys(encoders);

/** Refuses every publication with the key that was sent, in this coding. */
function repeat(t: TestContext, coding: string): Promise<string> {
  return listen(
    t,
    createServer(({ method, headers }, response) => {
      if (method === 'POST')
        response
          .writeHead(400)
          .end(
            `no entry for ${encoders[coding]!(Buffer.from(String(headers['x-key']), 'latin1').toString())}`,
          );
      else response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    }),
  );
}

/**
 * Answers every publication 400 with what was sent, in the next coding, and a subscriber with the same in a
 * stream.
 */
async function echo(t: TestContext): Promise<string> {
  let turn = 0;
  const said = ({ headers, url }: IncomingMessage, body: string, shift: number) => {
    const n = turn++;
    const sources = [headers.authorization, headers['x-key'], decodeURIComponent(url!), url, body];
    const text = encoders[names[n % names.length]!]!(
      String(sources[Math.floor(n / names.length + n) % sources.length]),
    );
    return '.'.repeat((n * shift) % 150) + text;
  };
  let streams = 0;
  return listen(
    t,
    createServer((request, response) => {
      let body = '';
      request
        .setEncoding('utf8')
        .on('data', (text: string) => (body += text))
        .on('end', () => {
          if (request.method === 'POST')
            return void response
              .writeHead(400, { 'content-type': 'text/plain' })
              .end(said(request, body, 37));
          // The first subscribers are told in a header, the others in the stream.
          const inHeader = encoders[names[streams % names.length]!]!(secret);
          const type =
            streams++ >= 3
              ? 'text/event-stream'
              : /^[\x20-\x7e\xa0-\xff]*$/.test(inHeader)
                ? inHeader
                : 'text/html';
          response.writeHead(200, { 'content-type': type });
          for (let i = 0; i < 3; i++)
            response.write(`data: ${said(request, '', 11).replace(/\s/g, ' ')}\n\n`);
        });
    }),
  );
}

const yaml = (url: string) => `name: echo
url: ${url}
publish: { url: "/feed?key=\${ECHO_TOKEN}", headers: { authorization: "Basic \${ECHO_LOGIN}" },
  body: '{"key":"\${ECHO_TOKEN}","data":{event}}' }
subscribe: { sse: "/feed?key=\${ECHO_TOKEN}" }
headers: { x-key: "Bearer \${ECHO_TOKEN}", x-tenant: "\${ECHO_TENANT}" }
`;

/** In whatever form the text itself is: a result is JSON, a report HTML. */
function assertClean(text: string, what: string): void {
  for (const value of [secret, password, login]) {
    for (const [name, encode] of Object.entries(encoders)) {
      const core = coreOf(name, encode(value));
      for (const again of ['as it is', 'JSON', 'HTML'])
        assert.ok(!text.includes(encoders[again]!(core)), `${what} holds ${core} (${name})`);
    }
  }
  // Nor a part of it that a cut has left.
  for (const part of [
    'tok "55',
    'tok \\"55',
    'tok &quot;55',
    'tok+',
    'tok%20',
    'open sesame',
    'open%20',
    'open+',
  ])
    assert.ok(
      !text.includes(part),
      `${what} holds ${part}: ${text.slice(Math.max(0, text.indexOf(part) - 60), text.indexOf(part) + 100)}`,
    );
}

test(
  'target check: what the target repeats is said without its secrets, ' +
    'and a value too short to be one is named',
  async (t) => {
    const folder = temporaryFolder(t);
    for (const coding of ['JSON, all in \\u', 'base64 behind 1 bytes']) {
      writeFileSync(join(folder, 'echo.yaml'), yaml(await repeat(t, coding)));
      const end = await start(['target', 'check', 'echo.yaml'], folder).ended;
      assert.equal(end.code, 1, end.stderr);
      assert.match(
        end.stdout,
        /echo\.yaml: the value of ECHO_TENANT has fewer than 4 characters, so it is not treated as a secret/,
      );
      assert.match(
        end.stdout,
        /could not be published: an event was answered with status 400: no entry for .*\$\{ECHO_TOKEN\}/,
      );
      assertClean(end.stdout + end.stderr, 'the output');
    }
  },
);

test(
  'run: no form of a secret is in the result, the report or the ' +
    'output, though the command line held one',
  async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'echo.yaml'), yaml(await echo(t)));
    const scenario = writeScenario(folder, 'variants: [sse]');
    const end = await start(
      [
        'run',
        scenario,
        '--target',
        'echo.yaml',
        '--no-reference',
        '--set',
        `question=Is ${secret} right?`,
        '--set',
        'topics.news.publish=60/s',
        '--set',
        'notice=[]',
      ],
      folder,
    ).ended;
    assert.equal(end.code, 4, end.stdout + end.stderr);
    const [results] = resultFolders(folder);
    const texts = ['result.json', 'report.html'].map(
      (name) => [name, readFileSync(join(results!, name), 'utf8')] as const,
    );
    for (const [name, text] of [...texts, ['the output', end.stdout + end.stderr] as const])
      assertClean(text, name);
    const result = JSON.parse(texts[0]![1]) as {
      command: string;
      trials: { outcome: { problems: { code: string; message: string }[] } }[];
    };
    const { problems } = result.trials[0]!.outcome;
    const hidden = problems.filter(({ message }) => /\$\{ECHO_(TOKEN|LOGIN)\}/.test(message));
    assert.ok(hidden.length > 30, `${hidden.length} of ${problems.length} problems`);
    assert.deepEqual(new Set(hidden.map(({ code }) => code)), new Set(['publish-refused', 'http-type']));
    assert.match(result.command, /question=Is \$\{ECHO_TOKEN\} right\?/);
  },
);
