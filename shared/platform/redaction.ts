const hidden = '[secret]';
/** Longer texts are cut off: the rest adds nothing, and searching it is expensive. */
const TEXT_LENGTH_MAX = 16 * 1024;

/** Names whose values are secret, in lower case and without separators; they also match within a longer name. */
const SECRET_NAME =
  /passw(or)?d|passphrase|secret|token|apikey|credential|authorization|cookie|privatekey|signingkey|totp|otp(code|secret)?$|recoverycode|secwebsocketprotocol|signature/;

/** Names that Lambda and Powertools give to long values with letters and digits which are no secrets. */
const PLAIN_NAMES: ReadonlySet<string> = new Set([
  'function_arn',
  'function_name',
  'function_request_id',
  'requestId',
  'xray_trace_id',
]);

const spelled =
  '(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|authorization|cookie|private[-_]?key|totp|signature)';

/** Secrets in any text, and their replacements. */
const SECRETS: readonly (readonly [pattern: RegExp, shown: string])[] = [
  [/-----BEGIN [A-Z ]{1,40}-----[\s\S]*?(?:-----END [A-Z ]{1,40}-----|$)/g, hidden],
  // A JSON Web Token, also one that was cut off.
  [/\beyJ[\w-]{6,}(?:\.[\w-]*){0,4}/g, hidden],
  [/\b(Bearer|Basic|Digest)\s+[\w~+/.=-]{6,}/gi, `$1 ${hidden}`],
  // Webhook secrets, refresh tokens, API keys and tokens in mails of ours.
  [/\b(?:whsec|aprt|apk|appr|apev)_[\w-]+/g, hidden],
  // A login within a URL.
  [/(\w:\/\/)[^\s/@:]{0,256}:[^\s/@]{1,256}@/g, `$1${hidden}@`],
  [new RegExp(`([?&][\\w-]{0,30}${spelled}[\\w-]{0,30}=)[^&\\s"'#]+`, 'gi'), `$1${hidden}`],
  [
    new RegExp(
      `("?\\b[\\w-]{0,30}${spelled}[\\w-]{0,30}\\\\?["']?\\s{0,3}[:=]\\s{0,3}\\\\?)(["'])(?:(?!\\2)[^\\\\]|\\\\.)*`,
      'gi',
    ),
    `$1$2${hidden}`,
  ],
];

/** Names of our resources on AWS begin so. */
const OUR_NAMES = 'alphapulse-';

/** Random bytes in Base64 or letters and digits, from 40 characters on, as keys of venues and tokens without a meaning are. */
const OPAQUE = /(?<![\w/.-])[\w-]{40,}={0,2}(?![\w/.-])/g;
const isOpaque = (text: string): boolean =>
  /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text) && !text.startsWith(OUR_NAMES);

/** A text as a log may show it. */
export const redactedText = (text: string): string => {
  let shown = text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text;
  for (const [pattern, instead] of SECRETS) shown = shown.replace(pattern, instead);
  return shown.replace(OPAQUE, (word) => (isOpaque(word) ? hidden : word));
};

/**
 * What a log shows of a value, as a replacer of `JSON.stringify`: nothing under a name of a secret, and texts without
 * what looks like a token or key. The last line of defence: callers do not log secrets.
 */
export const redacted = (name: string, value: unknown): unknown => {
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  if (SECRET_NAME.test(name.toLowerCase().replaceAll(/[-_ .]/g, ''))) return hidden;
  return typeof value === 'string' && !PLAIN_NAMES.has(name) ? redactedText(value) : value;
};
