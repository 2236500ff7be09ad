// Checks the signature of a request, and says precisely why it does not fit: it is right but too old, or too
// old and wrong; the body was written again on its way; or the sender reads the secret in another way than
// the scheme. The schemes do all comparing, in constant time.

import { createSecretKey, type KeyObject } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { parseJson } from '../../core/base/json.ts';
import { formatNumber } from '../../core/base/units.ts';
import { defaultToleranceS } from '../../core/signature/scheme.ts';
import { schemes, type Headers, type SchemeName, type Verification } from '../../core/signature/schemes.ts';
import { claimsOf, schemeWords, type Claim } from './recognise.ts';
import { whyNone, type Secrets } from './secrets.ts';

/** `message` is for people and holds no secret. */
export type Verdict =
  | { kind: 'verified'; scheme: SchemeName; message: string }
  | { kind: 'wrong'; scheme: SchemeName; reason: string; message: string }
  /** There is no secret to check it with. */
  | { kind: 'unchecked'; scheme: SchemeName; message: string }
  /** It has no header of a scheme that is known here. */
  | { kind: 'unsigned'; message: string };

export type CheckOptions = {
  secrets: Secrets;
  toleranceS?: number | undefined;
  /** Seconds since 1970. */
  nowS: number;
  /** Requests of the scheme that have verified before: tells a wrong secret from a changed body, mostly. */
  verifiedBefore(scheme: SchemeName): number;
};

/** Bodies that are parsed and printed again to find out what was signed. */
const longestTried = 256 * 1024;

export function checkSignature(headers: Headers, body: Buffer, options: CheckOptions): Verdict {
  const verdicts = claimsOf(headers).map((claim) => verdictOf(claim, body, options));
  const best = (['verified', 'wrong', 'unchecked'] as const)
    .map((kind) => verdicts.find((one) => one.kind === kind))
    .find((one) => one !== undefined);
  return best ?? { kind: 'unsigned', message: unsigned };
}

const unsigned =
  'not signed by a scheme that is known here: none of webhook-signature, svix-signature, stripe-signature, ' +
  'x-hub-signature-256 and x-slack-signature came';

function verdictOf(claim: Claim, body: Buffer, options: CheckOptions): Verdict {
  const { scheme } = claim;
  const { title, flag } = schemeWords[scheme];
  const { secrets } = options;
  if (secrets.texts.length === 0) {
    return {
      kind: 'unchecked',
      scheme,
      message: `${title}, not checked: start with ${flag} to check the signature`,
    };
  }
  const keys = secrets.keys[scheme];
  if (keys.length === 0) {
    const why = `no secret for this scheme was given; ${whyNone(scheme, secrets)}`;
    return { kind: 'unchecked', scheme, message: `${title}, not checked: ${why}` };
  }
  const verified = verify(claim, keys, body, options);
  if (verified.ok) return { kind: 'verified', scheme, message: `${title}${ageOf(claim, options.nowS)}` };
  const message = explained(claim, keys, body, options, verified);
  return { kind: 'wrong', scheme, reason: verified.reason, message: `${title}: ${message}` };
}

function verify(
  { scheme, headers }: Claim,
  keys: readonly KeyObject[],
  body: string | Buffer,
  { nowS, toleranceS = defaultToleranceS }: Pick<CheckOptions, 'nowS' | 'toleranceS'>,
): Verification {
  return schemes[scheme].verify(keys, headers, body, { nowS, toleranceS });
}

function ageOf({ signedAtS }: Claim, nowS: number): string {
  if (signedAtS === undefined) return '; this scheme signs no time';
  const ageS = nowS - signedAtS;
  return ageS < 0
    ? `, signed ${formatNumber(-ageS)} s ahead of this clock`
    : `, signed ${formatNumber(ageS)} s ago`;
}

function explained(
  claim: Claim,
  keys: readonly KeyObject[],
  body: Buffer,
  options: CheckOptions,
  failure: Extract<Verification, { ok: false }>,
): string {
  if (claim.scheme === 'github' && failure.reason === 'missing-header') return githubUnsigned(claim.headers);
  if (failure.reason !== 'too-old' && failure.reason !== 'too-new' && failure.reason !== 'no-match')
    return failure.message;
  const atItsTime = { ...options, nowS: claim.signedAtS ?? options.nowS };
  const inTime = failure.reason === 'no-match' ? failure : verify(claim, keys, body, atItsTime);
  const untimely = failure.reason === 'no-match' ? '' : `${failure.message}; `;
  if (inTime.ok) return `${untimely}apart from its time the signature is right`;
  const found = changedBody(claim, keys, body, atItsTime) ?? otherReading(claim, body, atItsTime);
  return untimely + (found ?? unexplained(body, options.secrets, options.verifiedBefore(claim.scheme)));
}

function githubUnsigned(headers: Headers): string {
  return headers['x-hub-signature'] === undefined
    ? 'there is no x-hub-signature-256: GitHub signs when the webhook has a secret in its settings'
    : 'only x-hub-signature came, which is SHA-1 and not accepted; x-hub-signature-256 is missing';
}

/** What else may have been signed, and how it became what came. */
function changedBody(
  claim: Claim,
  keys: readonly KeyObject[],
  body: Buffer,
  options: CheckOptions,
): string | undefined {
  if (body.length > longestTried || !isUtf8(body)) return undefined;
  const text = body.toString();
  const parsed = parseJson(text);
  const printed =
    'value' in parsed
      ? [
          JSON.stringify(parsed.value),
          JSON.stringify(parsed.value, null, 2),
          JSON.stringify(parsed.value, null, 4),
        ]
      : [];
  const tries: [what: string, signed: readonly string[]][] = [
    ['a line end was added to the body after it was signed', [text.replace(/\r?\n$/, '')]],
    ['the line end of the body was lost after it was signed', [`${text}\n`, `${text}\r\n`]],
    ['the line ends of the body were changed after it was signed', [text.replace(/\r\n/g, '\n')]],
    [
      'the body was parsed and printed again after it was signed: the same JSON with other white space ' +
        'fits the signature',
      printed,
    ],
    ['the signature is of an empty body', ['']],
  ];
  return tries.find(([, signed]) =>
    signed.some((one) => one !== text && verify(claim, keys, one, options).ok),
  )?.[0];
}

/** The secret, read as senders read it by mistake. */
function otherReading(claim: Claim, body: Buffer, options: CheckOptions): string | undefined {
  const { scheme } = claim;
  if (scheme !== 'standard' && scheme !== 'stripe') return undefined;
  const tries = options.secrets.texts.flatMap((text): [what: string, key: KeyObject][] => {
    const bare = text.replace(/^whsec_/, '');
    if (bare === '') return [];
    const asText = (secret: string) => createSecretKey(Buffer.from(secret));
    const isBase64 = /^[\w+/-]+={0,2}$/.test(bare);
    return scheme === 'stripe'
      ? [
          ['the sender signs with the secret without "whsec_"; the scheme takes all of it', asText(bare)],
          ...(isBase64
            ? [
                [
                  'the sender signs with the bytes of the secret in base64; the scheme takes it as text',
                  createSecretKey(Buffer.from(bare, 'base64')),
                ] satisfies [string, KeyObject],
              ]
            : []),
        ]
      : [text, bare].map((secret) => [
          'the sender signs with the secret as text; the scheme takes the bytes that the base64 behind ' +
            '"whsec_" stands for',
          asText(secret),
        ]);
  });
  return tries.find(([, key]) => verify(claim, [key], body, options).ok)?.[0];
}

function unexplained(body: Buffer, secrets: Secrets, verifiedBefore: number): string {
  const which = secrets.texts.length === 1 ? 'this secret' : 'these secrets';
  const have = verifiedBefore === 1 ? 'request has' : 'requests have';
  const hint =
    verifiedBefore === 0
      ? 'no request has verified with it so far, so compare the secret first'
      : `${formatNumber(verifiedBefore)} ${have} verified before, ` +
        'so the signed content (the body, or its id or time) was probably changed';
  return (
    `no signature fits ${which} and the ${formatNumber(body.length)} bytes that arrived: the sender has ` +
    `another secret, or the content it signed was changed on its way; ${hint}`
  );
}
