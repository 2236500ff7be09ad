// Gives the events that Redis keeps, and remembers the newest, so that not every delivery asks for its own.

import type { Message } from '../../../core/policy/webhook/delivery.ts';
import type { RedisLink } from './link.ts';

const messagesRemembered = 1000;

export type Messages = {
  /** Undefined when Redis has it no more. @throws what kept Redis from answering (link.ts) */
  of(event: string): Promise<Message | undefined>;
  remember(message: Message): void;
};

export function createMessages(link: RedisLink, eventKey: (id: string) => string): Messages {
  const newest = new Map<string, Message>();

  function remember(message: Message): void {
    newest.set(message.id, message);
    // The oldest; there is one.
    if (newest.size > messagesRemembered) newest.delete(newest.keys().next().value!);
  }

  return {
    remember,
    async of(event) {
      const known = newest.get(event);
      if (known) return known;
      const text = await link.ask((redis) => redis.get(eventKey(event)));
      if (text === null) return undefined;
      const message = JSON.parse(text) as Message; // written by the publisher alone
      remember(message);
      return message;
    },
  };
}
