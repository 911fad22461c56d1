import type { ServerMessage } from './message.ts';

/** Largest frame in UTF-8 bytes: API Gateway closes a connection with 1009 beyond 32 KB. */
export const FRAME_BYTES_MAX = 30_000;

const bracketBytes = 2;
const commaBytes = 1;

export interface Frame {
  readonly text: string;
  /** How many messages it carries. */
  readonly size: number;
}

/** Packs messages, in their order, into as few frames as possible: a frame carries one message, or an array of them. */
export function* inFrames(messages: readonly ServerMessage[]): Generator<Frame> {
  let texts: string[] = [];
  let bytes = bracketBytes;
  for (const message of messages) {
    const text = JSON.stringify(message);
    const more = Buffer.byteLength(text) + commaBytes;
    if (texts.length > 0 && bytes + more > FRAME_BYTES_MAX) {
      yield frameOf(texts);
      [texts, bytes] = [[], bracketBytes];
    }
    texts.push(text);
    bytes += more;
  }
  if (texts.length > 0) yield frameOf(texts);
}

const frameOf = (texts: readonly string[]): Frame => ({
  text: texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(',')}]`,
  size: texts.length,
});

/** As many of the first values as fit in so many bytes of JSON, with their commas. */
export const fitting = (values: readonly unknown[], bytesMax: number): unknown[] => {
  let bytes = bracketBytes;
  const end = values.findIndex((value) => {
    bytes += Buffer.byteLength(JSON.stringify(value)) + commaBytes;
    return bytes > bytesMax;
  });
  return values.slice(0, end === -1 ? values.length : end);
};
