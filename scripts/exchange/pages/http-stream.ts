// Opens a stream and has an event come over it.

import { dial, get, publish, type Exchange } from '../conversation.ts';

export const exchange: Exchange = {
  async talk(server, lines) {
    const client = await dial(server, lines);
    client.say(get('/stream?topics=news'));
    await client.heard(/"stream":"open"[^\n]*\n\r\n$/);
    await publish(server);
    await client.heard(/"it works"}}\n\r\n$/);
    client.note('and so on, a chunk for each event');
    client.end();
  },
};
