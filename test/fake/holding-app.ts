// Writes the server of a user, an SSE feed that holds every event back, for tests that start it by a command.

/** A small server of a user's, which holds every event back for so long. */
export const holdingApp = (port: number, heldMs: number) => `import { createServer } from 'node:http';
const heldMs = ${heldMs};
const listeners = new Set();
createServer(async (request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    listeners.add(response);
    response.on('close', () => listeners.delete(response));
    return;
  }
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  response.writeHead(202).end();
  setTimeout(() => { for (const listener of listeners)
    listener.write(\`data: \${body}\\n\\n\`); }, heldMs);
}).listen(${port}, '127.0.0.1');
`;
