// Asks `pushbench open` by another name, from pages of another origin, with malformed requests, and with too
// many of them: none gets an answer that it should not have.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'vitest';
import { serveArchive } from '../../../reports/open/server.ts';
import { rawClient, talk } from '../../servers/http/raw-http.ts';
import { ask, opened } from './opened-archive.ts';

test(
  'another name for this address gets nothing, nor do pages of ' +
    'another origin, and nothing but reading is done',
  async (t) => {
    const { url, folder } = await opened(t);
    const { port } = new URL(url);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      '192.168.1.5',
      '0.0.0.0',
    ]) {
      const { status, body } = await ask(url, '/', { host });
      assert.equal(status, 421, host);
      assert.match(body, /--allow-host/);
      assert.doesNotMatch(body, /runs\//);
    }
    assert.equal((await ask(url, '/', { host: `user@127.0.0.1:${port}` })).status, 400, 'no host at all');
    // Another port is that of a forwarded one.
    for (const host of [`LOCALHOST:${port}`, '127.0.0.1', `[::1]:${Number(port) + 1}`])
      assert.equal((await ask(url, '/', { host })).status, 200, host);
    const foreign = ['https://evil.example', 'null', 'http://localhost:1'].map(
      (origin): Record<string, string> => ({ origin }),
    );
    for (const headers of [
      ...foreign,
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    ]) {
      const reply = await ask(url, '/runs/first/result.json', { ...headers });
      assert.deepEqual(
        [reply.status, reply.headers['access-control-allow-origin']],
        [403, undefined],
        JSON.stringify(headers),
      );
    }
    assert.equal(
      (
        await ask(url, '/', {
          'sec-fetch-site': 'cross-site',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'document',
        })
      ).status,
      200,
      'a link leads in',
    );
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask(url, '/', { method });
      assert.equal(status, 405);
      assert.equal(headers['allow'], 'GET, HEAD');
    }
    assert.match(
      await talk(url, `GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1\.1 400 /,
    );
    const named = await serveArchive(join(folder, 'results'), pathToFileURL(`${folder}/`), 0, [
      'bench.example',
    ]);
    t.onTestFinished(named.close);
    assert.equal(
      (await ask(named.url, '/', { host: 'bench.example', origin: 'https://bench.example' })).status,
      200,
      'behind a proxy with TLS',
    );
    const head = await ask(url, '/runs/first/csv', { method: 'HEAD' });
    assert.equal(head.body, '');
    assert.equal(
      Number(head.headers['content-length']),
      Buffer.byteLength((await ask(url, '/runs/first/csv')).body),
    );
  },
);

test(
  'malformed requests get nothing, an absolute target has its own host, ' +
    'and who says nothing makes room for others',
  async (t) => {
    const { url } = await opened(t);
    const { host } = new URL(url);
    const get = (target: string, fields: string) =>
      talk(url, `GET ${target} HTTP/1.1\r\nconnection: close\r\n${fields}\r\n\r\n`);
    assert.match(await get('/', `host: ${host}`), /^HTTP\/1\.1 200 /);
    assert.match(await get('/', `host: ${host}\r\nhost: ${host}`), /^HTTP\/1\.1 400 /);
    assert.match(await get('/', 'x: y'), /^HTTP\/1\.1 400 /);
    assert.match(await get('/', `host: ${host}\r\ntransfer-encoding: gzip, chunked`), /^HTTP\/1\.1 501 /);
    assert.match(await get(`http://${host}/`, 'host: evil.example'), /^HTTP\/1\.1 200 /);
    assert.match(await get('http://evil.example/', `host: ${host}`), /^HTTP\/1\.1 421 /);
    const silent = await Promise.all(Array.from({ length: 300 }, () => rawClient(url)));
    t.onTestFinished(() => silent.forEach(({ socket }) => socket.destroy()));
    assert.equal((await ask(url, '/')).status, 200);
  },
);

test(
  'what is asked for one behind another is made one after ' +
    'another, and too much of it ends the connection',
  async (t) => {
    const { url } = await opened(t);
    const pipelined = async (times: number) => {
      const { hostname, port } = new URL(url);
      const socket = connect({ host: hostname, port: Number(port) });
      let text = '';
      socket
        .setEncoding('latin1')
        .on('data', (piece: string) => (text += piece))
        .on('error', () => {}); // a cut is an end like others
      const get = (more: string) =>
        `GET /runs/first/result.json HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${more}\r\n`;
      socket.write(get('').repeat(times - 1) + get('Connection: close\r\n'));
      await new Promise((resolve) => socket.once('close', resolve));
      return [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => status);
    };
    assert.deepEqual(
      await pipelined(50),
      Array.from({ length: 50 }, () => '200'),
    );
    assert.deepEqual(await pipelined(500), []);
    assert.equal((await ask(url, '/')).status, 200);
  },
);
