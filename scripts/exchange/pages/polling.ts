// Polls three times: for the cursor, for nothing, and for an event.

import { dial, get, publish, type Exchange } from '../conversation.ts';

export const exchange: Exchange = {
  async talk(server, lines) {
    const client = await dial(server, lines);
    client.note('the first poll asks where to begin');
    client.say(get('/poll?topics=news'));
    const cursor = await client.heard(/"events":\[\]}$/, /"cursor":"([^"]+)"/);
    client.note('nothing new');
    const etag = `"${cursor.replace(/\d+$/, '0')}"`;
    client.say(get(`/poll?topics=news&since=${cursor}`, { 'If-None-Match': etag }));
    await client.heard(/^HTTP\/1\.1 304[\s\S]*\r\n\r\n$/);
    await publish(server);
    client.note('an event was published; the next poll brings it');
    client.say(get(`/poll?topics=news&since=${cursor}`, { 'If-None-Match': etag }));
    await client.heard(/"it works"}}]}$/);
    client.end();
  },
};
