// Starts an emulator of SQS (fauxqs) on loopback, makes queues in it and looks into them with the AWS SDK.

import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import type { AddressInfo } from 'node:net';

export type SqsServer = {
  /** Of a queue, whether it exists or not. */
  urlOf(name: string): string;
  /** @returns its URL */
  create(name: string, attributes?: Record<string, string>): Promise<string>;
  /** Messages in it: those that can be had, are delayed, or are somebody's. */
  count(url: string): Promise<number>;
  /** Takes one message away. */
  takeOne(url: string): Promise<string | undefined>;
  put(url: string, body: string): Promise<void>;
  address: AddressInfo;
  stop(): Promise<void>;
};

export async function startSqs(): Promise<SqsServer> {
  // Its own `startFauxqs` listens on all interfaces, whatever host it is given.
  const app = buildApp({ logger: false });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address() as AddressInfo; // of a TCP listener
  const endpoint = `http://127.0.0.1:${address.port}`;
  const credentials = { accessKeyId: 'none', secretAccessKey: 'none' };
  const client = new SQSClient({ endpoint, region: 'us-east-1', credentials });
  const urlOf = (name: string) => `${endpoint}/000000000000/${name}`;
  return {
    urlOf,
    address,
    async create(QueueName, Attributes = {}) {
      const isFifo = QueueName.endsWith('.fifo') && { FifoQueue: 'true' };
      await client.send(new CreateQueueCommand({ QueueName, Attributes: { ...isFifo, ...Attributes } }));
      return urlOf(QueueName);
    },
    async count(QueueUrl) {
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
      const { Attributes: has = {} } = await client.send(command);
      return [
        has.ApproximateNumberOfMessages,
        has.ApproximateNumberOfMessagesNotVisible,
        has.ApproximateNumberOfMessagesDelayed,
      ].reduce((sum, n) => sum + Number(n), 0);
    },
    async takeOne(QueueUrl) {
      const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
      const [message] = Messages ?? [];
      if (!message) return undefined;
      const { ReceiptHandle } = message;
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      return message.Body;
    },
    put: async (QueueUrl, MessageBody) =>
      void (await client.send(new SendMessageCommand({ QueueUrl, MessageBody }))),
    async stop() {
      client.destroy();
      await app.close();
    },
  };
}
