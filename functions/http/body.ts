import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { HttpProblem } from './problem.ts';

/** Largest request body, in bytes. The largest legitimate request of the API has a few kilobytes. */
export const BODY_BYTES_MAX = 64 * 1024;
/** Deepest nesting of a request body. The deepest legitimate one has a handful of levels. */
const depthMax = 32;

/**
 * The JSON body of a request, parsed but not validated.
 * @throws {HttpProblem} `payload-too-large`, `unsupported-media-type` or `malformed-request`
 */
export const bodyOf = (event: APIGatewayProxyEventV2): unknown => {
  const contentType = event.headers['content-type'] ?? '';
  const body = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64').toString('utf8') : (event.body ?? '');
  if (Buffer.byteLength(body) > BODY_BYTES_MAX) {
    throw new HttpProblem('payload-too-large', `The body may have at most ${BODY_BYTES_MAX} bytes.`);
  }
  if (!/^application\/json\s*(;|$)/i.test(contentType)) {
    throw new HttpProblem('unsupported-media-type', 'Send JSON with the header Content-Type: application/json.');
  }
  if (depthOf(body) > depthMax) {
    throw new HttpProblem('malformed-request', `The body may be nested at most ${depthMax} levels deep.`);
  }
  try {
    return JSON.parse(body, acceptable);
  } catch {
    throw new HttpProblem('malformed-request', 'The body is not valid JSON.');
  }
};

/** How deep the arrays and objects of a JSON text are nested, found without recursion: validating deep input may overflow the stack. */
const depthOf = (json: string): number => {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let index = 0; index < json.length; index++) {
    const character = json[index];
    if (isInString) {
      if (character === '\\') index++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']') depth--;
  }
  return deepest;
};

/**
 * Rejects unpaired surrogates (RFC 7493, 2.1), because stores and hashes would each encode them differently, and the name
 * `__proto__`, because code that copies such a field would set the prototype.
 */
const acceptable = (name: string, value: unknown): unknown => {
  if (name === '__proto__') throw new SyntaxError('__proto__ is not a valid name');
  if (typeof value === 'string' && !value.isWellFormed()) throw new SyntaxError('Unpaired surrogate');
  return value;
};
