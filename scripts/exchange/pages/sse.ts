// Opens an event stream, loses it, and comes back for what it missed.

import { dial, get, publish, type Exchange } from '../conversation.ts';

export const exchange: Exchange = {
  async talk(server, lines) {
    const client = await dial(server, lines);
    client.say(get('/events?topics=news', { Accept: 'text/event-stream' }));
    await client.heard(/: open\n\n\r\n$/);
    await publish(server);
    const id = await client.heard(/"it works"}}\n\n\r\n$/, /id: (\S+)\ndata/);
    client.end();
    await publish(server);
    client.note('the connection broke, and an event was published meanwhile; a browser comes back by itself');
    const again = await dial(server, lines);
    again.say(get('/events?topics=news', { Accept: 'text/event-stream', 'Last-Event-ID': id }));
    await again.heard(/"it works"}}\n\n\r\n$/);
    again.end();
  },
};
