import * as z from 'zod';
import type { MessageId } from '#shared/connections/message';
import { Refusal } from './refusal.ts';

const channelsPerMessageMax = 50;
const messagesPerFrameMax = 20;
/** Names of one message: together with their refusals they fit in a frame. */
const namesBytesMax = 6_500;
const detailLengthMax = 1000;

const ChannelName = z.string().max(120);
const Channels = z
  .array(ChannelName)
  .min(1)
  .max(channelsPerMessageMax)
  .refine((names) => Buffer.byteLength(JSON.stringify(names)) <= namesBytesMax, 'are too long together');
const Seq = z.int().min(0);
const Since = z.union([
  z.strictObject({ epoch: z.string().max(64), seq: Seq }),
  Seq.transform((seq) => ({ epoch: undefined, seq })),
]);
const Id = z.union([z.string().max(64), z.int()]);
const id = Id.exactOptional();

const ClientMessage = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('subscribe'),
    channels: Channels,
    since: z.record(ChannelName, Since).exactOptional(),
    id,
  }),
  z.strictObject({ action: z.literal('unsubscribe'), channels: Channels, id }),
  z.strictObject({ action: z.literal('authenticate'), token: z.string().min(1).max(4096), id }),
  z.strictObject({ action: z.literal('ping'), id }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

/** A message of a client with the id under which it wants the answer, or why it is none. */
export type Received = { readonly id: MessageId | undefined } & (
  | { readonly message: ClientMessage }
  | { readonly refusal: Refusal }
);

/** Reads a frame: one message or an array of them. */
export const messagesIn = (frame: string): readonly Received[] => {
  let json: unknown;
  try {
    json = JSON.parse(frame);
  } catch {
    return [{ id: undefined, refusal: new Refusal('malformed-request', 'The message is not valid JSON.') }];
  }
  if (!Array.isArray(json)) return [received(json)];
  if (json.length >= 1 && json.length <= messagesPerFrameMax) return json.map(received);
  const detail = `A frame carries 1 to ${messagesPerFrameMax} messages.`;
  return [{ id: undefined, refusal: new Refusal('invalid-input', detail) }];
};

const received = (json: unknown): Received => {
  const parsed = ClientMessage.safeParse(json);
  if (parsed.success) return { id: parsed.data.id, message: parsed.data };
  const named = z.looseObject({ id: Id }).safeParse(json);
  const detail = parsed.error.issues
    .map(({ path, message: why }) => `${path.join('.') || 'message'}: ${why}`)
    .join('; ');
  return { id: named.data?.id, refusal: new Refusal('invalid-input', detail.slice(0, detailLengthMax)) };
};
