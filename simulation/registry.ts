// Lists the models by pattern: models of steady traffic (models/), and for scenarios with faults the model of
// connections that come and go (connections/). A pattern without a model cannot be simulated.

import { runConnections } from './connections/run.ts';
import type { Model, ModelInput, ModelRegistry } from './model.ts';
import { httpStreamKind } from './models/http-stream.ts';
import { models as evenly } from './models/registry.ts';
import { sseKind } from './models/sse.ts';
import type { StreamKind } from './models/stream-kind.ts';
import { websocketKind } from './models/websocket.ts';

/** By pattern, what those whose connections stay open have on the wire. */
const kinds: Readonly<Record<string, (input: ModelInput) => StreamKind>> = {
  'http-stream': httpStreamKind,
  sse: sseKind,
  websocket: websocketKind,
};

export const models: ModelRegistry = Object.fromEntries(
  Object.entries(evenly).map(([pattern, model]) => [pattern, withFaults(pattern, model!)]),
);

function withFaults(pattern: string, model: Model): Model {
  const kindOf = kinds[pattern];
  const either = (input: ModelInput) =>
    kindOf && input.scenario.faults.length > 0 ? runConnections(input, kindOf(input)) : model(input);
  // With all that a model says of itself.
  return Object.assign(either, { ...model });
}
