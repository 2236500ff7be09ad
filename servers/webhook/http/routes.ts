// Puts the routes of the HTTP API together: reads requests, answers with what api.ts promises.

import type { Counters } from '../../../core/result/counters.ts';
import type { ServerLimits } from '../../../core/scenario/scenario.ts';
import type { Routes } from '../../http/router.ts';
import type { Service } from '../service.ts';
import { deliveryRoutes } from './delivery-routes.ts';
import { endpointRoutes } from './endpoint-routes.ts';

export function webhookRoutes(
  service: Service,
  limits: Pick<ServerLimits, 'maxSubscribers'>,
  counters: Counters,
): Routes {
  return { ...endpointRoutes(service, limits, counters), ...deliveryRoutes(service) };
}
