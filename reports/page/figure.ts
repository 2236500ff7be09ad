// Defines what a chart is in the page: a heading that says what it shows, how to read it, its figures.

import type { Chart } from './draw-chart.ts';
import type { Markup } from './markup.ts';

export type Figure = { id: string; heading: string; reading: string; chart: Chart | undefined; data: Markup };
