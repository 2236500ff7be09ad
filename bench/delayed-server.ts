// Delays every delivery by a known distribution, counted from the planned time: the truth that reported
// percentiles are compared with. It speaks the control protocol and just enough SSE, and is not a
// reference for anything.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nowUs } from '../core/base/clock.ts';
import type { ServerCommand, ServerReport } from '../core/protocol/control.ts';
import { newCounters } from '../core/result/counters.ts';
import { encodeEnvelope } from '../core/event/envelope.ts';
import { watchSelf } from '../core/protocol/self.ts';
import { createTally } from '../servers/http/connection-counts.ts';
import { delaysUs } from './delays.ts';

const counters = newCounters();
const tally = createTally(counters);
const self = watchSelf('turns');
const streams: ServerResponse[] = [];
const due: { atUs: number; stream: ServerResponse; text: string }[] = [];
let seq = 0;
let deliveries = 0;
let spinning = false;

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    counters.handshakes++;
    tally.add(request.socket);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    response.write(': open\n\n');
    streams.push(response);
    request.on('close', () => streams.splice(streams.indexOf(response), 1));
    return;
  }
  let body = '';
  request
    .setEncoding('utf8')
    .on('data', (text: string) => (body += text))
    .on('end', () => {
      const stamp = (name: string) => Number(request.headers[name]);
      const plannedUs = stamp('pushbench-planned');
      const id = `delay1-${++seq}`;
      const json = encodeEnvelope({
        id,
        topic: request.url!.slice('/topics/'.length),
        seq,
        plannedUs,
        sentUs: stamp('pushbench-sent'),
        acceptedUs: nowUs(),
        crc: stamp('pushbench-crc'),
        body,
      });
      for (const stream of streams)
        due.push({
          atUs: plannedUs + delaysUs[deliveries++ % delaysUs.length]!,
          stream,
          text: `id: ${id}\ndata: ${json}\n\n`,
        });
      due.sort((a, b) => a.atUs - b.atUs);
      if (!spinning) spin();
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ id, seq }));
    });
});

// A timer is a millisecond off; this server spends a core on being exact.
function spin(): void {
  const now = nowUs();
  while (due.length > 0 && due[0]!.atUs <= now) {
    const { stream, text } = due.shift()!;
    counters.events++;
    stream.write(text);
  }
  spinning = due.length > 0;
  if (spinning) setImmediate(spin);
}

const report = (message: ServerReport) => process.send!(message);

process.on('message', (command: ServerCommand) => {
  if (command.kind === 'start') {
    server.listen(0, '127.0.0.1', 4096, () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      report({ kind: 'listening', endpoint: { url, over: 'h1', publishUrl: url } });
    });
  }
  if (command.kind === 'sample')
    report({
      kind: 'sample',
      sample: self(),
      counters: tally.read(),
      subscribers: streams.length,
      publishedEvents: seq,
    });
  if (command.kind === 'stop') process.exit(0);
});
process.on('disconnect', () => process.exit(0));
