// Asks three times: for the cursor, for an event that comes while it waits, and until the hold is over.

import { dial, get, publish, type Exchange } from '../conversation.ts';

export const exchange: Exchange = {
  async talk(server, lines) {
    const client = await dial(server, lines);
    client.note('the first request asks where to begin');
    client.say(get('/long-poll?topics=news'));
    const cursor = await client.heard(/"events":\[\]}$/, /"cursor":"([^"]+)"/);
    client.note('the second is held until there is an event');
    client.say(get(`/long-poll?topics=news&since=${cursor}`));
    while (server.subscribers() === 0) await client.pause();
    await publish(server);
    const next = await client.heard(/"it works"}}]}$/, /"cursor":"([^"]+)"/);
    client.note('nothing happens for as long as the client allows: 50 ms here');
    client.say(get(`/long-poll?topics=news&since=${next}&hold=50`));
    await client.heard(/^HTTP\/1\.1 204[\s\S]*\r\n\r\n$/);
    client.end();
  },
};
