// Lists the models by pattern. A pattern without one cannot be simulated.

import type { ModelRegistry } from '../model.ts';

export const models: ModelRegistry = {};
