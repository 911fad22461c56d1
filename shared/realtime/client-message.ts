import * as z from 'zod';
import { Refusal } from './refusal.ts';

const channelsPerMessageMax = 50;
const detailLengthMax = 1000;

const Channels = z.array(z.string().max(120)).min(1).max(channelsPerMessageMax);
const ClientMessage = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('subscribe'),
    channels: Channels,
    since: z.record(z.string().max(120), z.int().min(0)).exactOptional(),
  }),
  z.strictObject({ action: z.literal('unsubscribe'), channels: Channels }),
  z.strictObject({ action: z.literal('ping') }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

/** @throws {Refusal} the text is no message */
export const parseMessage = (text: string): ClientMessage => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refusal('malformed-request', 'The message is not valid JSON.');
  }
  const message = ClientMessage.safeParse(json);
  if (message.success) return message.data;
  const detail = message.error.issues
    .map(({ path, message: why }) => `${path.join('.') || 'message'}: ${why}`)
    .join('; ');
  throw new Refusal('invalid-input', detail.slice(0, detailLengthMax));
};
