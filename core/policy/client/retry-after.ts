// Reads the field Retry-After (RFC 9110, section 10.2.3): how long a server asks its clients to stay away.

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const longWeekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const time = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;
const month = `(?<month>${months.join('|')})`;
/** The three forms of a date that a recipient must accept (RFC 9110, section 5.6.7); the first is today's. */
const dateForms = [
  new RegExp(String.raw`^(?:${weekdays.join('|')}), (?<day>\d\d) ${month} (?<year>\d{4}) ${time} GMT$`),
  new RegExp(String.raw`^(?:${longWeekdays.join('|')}), (?<day>\d\d)-${month}-(?<year>\d\d) ${time} GMT$`),
  new RegExp(String.raw`^(?:${weekdays.join('|')}) ${month} (?<day>[ \d]\d) ${time} (?<year>\d{4})$`),
];

/**
 * The wait that a Retry-After field asks for, in milliseconds from `nowMs`: seconds, or a date.
 * @param header the field's value, without spaces around it
 * @param nowMs the wall clock, in milliseconds since 1970
 * @returns 0 for a date that has passed, Infinity for more seconds than a number holds; undefined when the
 *   value is neither seconds nor a date
 */
export function parseRetryAfterMs(header: string, nowMs: number): number | undefined {
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const atMs = parseHttpDateMs(header, nowMs);
  return atMs === undefined ? undefined : Math.max(0, atMs - nowMs);
}

/**
 * An HTTP-date (RFC 9110, section 5.6.7) in milliseconds since 1970. Whether the name of the weekday fits the
 * date is not looked at: the date alone is what the sender meant.
 * @param nowMs the wall clock, for years of two digits: one more than 50 years ahead is of the century before
 * @returns undefined for text that is not a date, or names a day that does not exist
 */
export function parseHttpDateMs(text: string, nowMs: number): number | undefined {
  for (const form of dateForms) {
    const fields = form.exec(text)?.groups;
    if (!fields) continue;
    const [day, hour, minute, second] = [fields.day, fields.hour, fields.minute, fields.second].map(Number);
    const monthIndex = months.indexOf(fields.month!); // the forms name every field
    const year = fields.year!.length === 2 ? fullYear(Number(fields.year), nowMs) : Number(fields.year);
    if (hour! > 23 || minute! > 59 || second! > 60) return undefined; // 60 is a leap second
    const date = new Date(0);
    date.setUTCFullYear(year, monthIndex, day);
    if (date.getUTCMonth() !== monthIndex || date.getUTCDate() !== day) return undefined;
    return date.setUTCHours(hour!, minute, second);
  }
  return undefined;
}

function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = Math.floor(thisYear / 100) * 100 + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}
