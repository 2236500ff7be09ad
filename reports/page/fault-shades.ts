// Shades the stretches of a chart over time in which a fault went on, and marks those of a moment with a
// line.

import type { Spec } from './chart-style.ts';
import type { FaultSpan } from '../summary/fault-spans.ts';

type Drawing = Spec['still'];

/** The chart with the faults behind its lines. */
export function withFaults(spec: Spec, spans: readonly FaultSpan[]): Spec {
  if (spans.length === 0) return spec;
  return {
    still: behind(spec.still, spans),
    ...(spec.narrow && { narrow: behind(spec.narrow, spans) }),
    live: behind(spec.live, spans),
  };
}

function behind(drawing: Drawing, spans: readonly FaultSpan[]): Drawing {
  if (!('layer' in drawing)) return drawing;
  const at = (field: string) => ({ field, type: 'quantitative' as const });
  const shade = {
    data: { values: spans.filter(({ fromS, toS }) => toS > fromS) },
    mark: { type: 'rect' as const, color: 'currentColor', opacity: 0.14, clip: true },
    encoding: { x: at('fromS'), x2: { field: 'toS' } },
  };
  const line = {
    data: { values: spans.filter(({ fromS, toS }) => toS === fromS) },
    mark: { type: 'rule' as const, color: 'currentColor', opacity: 0.4, strokeDash: [3, 2], clip: true },
    encoding: { x: at('fromS') },
  };
  return { ...drawing, layer: [shade, line, ...drawing.layer] };
}

/** What a chart's caption says of them; empty where there are none. */
export function faultReading(spans: readonly FaultSpan[]): string {
  return spans.length === 0
    ? ''
    : ' Shaded areas and dashed vertical lines are the faults of the scenario, listed below.';
}
