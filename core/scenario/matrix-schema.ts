// Describes how a scenario writes a matrix, and how the report is to name its axis. Its cells are matrix.ts.

import { z } from 'zod';
import { cellsOf, mostCells, outsideMatrix, valueName } from './matrix.ts';

/** A value of a matrix as a scenario writes it. */
export const scalar = z.union([z.string().min(1), z.number()]);

const named = z.strictObject({
  as: z.string().min(1).describe('the name of the value in reports and in `where`'),
  is: z.unknown().describe('the value, which may be a map'),
});

export const matrix = z
  .record(z.string().min(1), z.array(z.union([scalar, named])).min(1))
  .refine((given) => Object.keys(given).length <= 2, {
    error: 'a matrix has at most two paths: a report draws one as the axis and one as lines',
  })
  .refine((given) => cellsOf(given).length <= mostCells, { error: `a matrix has at most ${mostCells} cells` })
  .superRefine((given, context) => {
    for (const [path, values] of Object.entries(given)) {
      const names = values.map(valueName);
      const twice = names.findIndex((name, i) => names.indexOf(name) < i);
      if (twice >= 0)
        context.addIssue({
          code: 'custom',
          path: [path, twice],
          message: `"${names[twice]}" is there twice; each value, or its name (as), tells cells apart`,
        });
      const outside = outsideMatrix.find(
        (key) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`),
      );
      if (outside)
        context.addIssue({
          code: 'custom',
          path: [path],
          message:
            `"${outside}" is the same for all ` +
            `cells${outside === 'variants' ? '; list the variants instead' : ''}`,
        });
    }
  })
  .describe(
    'lists of values by their path, such as subscribers or topics.news.publish; every combination is ' +
      `measured with every variant: at most two paths and ${mostCells} combinations`,
  );

export const axis = z
  .strictObject({
    says: z
      .string()
      .min(1)
      .describe('what the first path of the matrix means to a reader, such as "updates a minute per client"'),
    times: z
      .number()
      .positive()
      .describe(
        "factor that converts the path's value for the axis: a rate in events a second, a duration in " +
          'milliseconds, a size in bytes',
      ),
    perSubscriber: z
      .boolean()
      .default(false)
      .describe('divides the value by the number of subscribers before it is multiplied'),
  })
  .describe(
    "name and scale of the horizontal axis of the report's curves, if the path's own value says little " +
      'to a reader',
  );
