// Upgrades, gets an event, publishes one over the same connection, and closes.

import { dial, get, publish, type Exchange } from '../conversation.ts';
import { maskedFrame } from '../frames.ts';

export const exchange: Exchange = {
  async talk(server, lines) {
    const client = await dial(server, lines);
    client.note('the handshake is HTTP');
    client.say(
      get('/ws?topics=news', {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      }),
    );
    await client.heard(/\r\n\r\n[\s\S]*"socket":"open"[^}]*}$/);
    client.note('frames from here on, their first bytes in brackets; the server publishes an event');
    await publish(server);
    await client.heard(/"it works"}}$/);
    client.note('the client publishes over the same connection, gets an acknowledgement, and its own event');
    client.say(maskedFrame(1, '{"publish":"news","ref":1,"body":"hello"}'));
    await client.heard(/(?=[\s\S]*"ack":1)[\s\S]*"hello"}[\s\S]*}$/);
    client.note('and closes');
    client.say(maskedFrame(8, '\u0003\u00e8'));
    await client.heard(/\u00e8$/);
    client.end();
  },
};
