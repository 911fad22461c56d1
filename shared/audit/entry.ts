import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import * as z from 'zod';
import type { UserId } from '#shared/model/user-id';
import { canonical } from './canonical.ts';
import {
  type AuditType,
  declarationOf,
  type EVENTS,
  OUTCOMES,
  type Outcome,
  TARGETS,
  type TargetKind,
} from './events.ts';
import { type Facts, factsOf, REDACTED, StoredFacts } from './facts.ts';

/** The trail of events that concern no user. */
export const SYSTEM_TRAIL = 'system';
/** Whose trail an entry belongs to: each user has one, the system has one. */
export type Trail = UserId | typeof SYSTEM_TRAIL;

const userAgentLengthMax = 200;
const hashPattern = /^[0-9a-f]{64}$/;
/** The `previous` hash of the first entry of a trail. */
export const NO_HASH = '0'.repeat(64);

/** Who caused an event. */
export type Actor =
  | { readonly kind: 'user'; readonly userId: UserId; readonly sessionId?: string }
  | { readonly kind: 'api-key'; readonly userId: UserId; readonly keyId: string }
  /** A client that is not logged in, whatever user it claims to be. */
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'system' };

/** Where a request came from, as seen by the gateway. */
export interface RequestSource {
  readonly address: string;
  readonly userAgent?: string;
}

/** Who makes a request, and from where. */
export interface AuditOrigin {
  readonly actor: Actor;
  readonly source: RequestSource;
}

type TargetOf<T extends AuditType> = (typeof EVENTS)[T] extends { readonly target: TargetKind } ? string : undefined;

/** An event of one type, as passed to the log. */
interface EventOf<T extends AuditType> {
  readonly type: T;
  readonly actor: Actor;
  /** Left out for an event that no request caused. */
  readonly source?: RequestSource;
  /** Default: the trail of the acting user, or the system's if there is none. */
  readonly trail?: Trail;
  /** The id of the target, of the kind that the type declares. */
  readonly target?: TargetOf<T>;
  /** May be a whole domain object: only the facts that {@link EVENTS} declares for the type are recorded. */
  readonly before?: Facts<(typeof EVENTS)[T]['facts']>;
  readonly after?: Facts<(typeof EVENTS)[T]['facts']>;
  /** Default: the one that the type declares. */
  readonly outcome?: Outcome;
}

/** An event to record. */
export type AuditEvent = { [T in AuditType]: EventOf<T> }[AuditType];

/** An entry of a trail. The hash covers the fields that are present, so new fields can only be added as optional ones. */
export const AuditEntry = z
  .strictObject({
    trail: z.string().describe('The id of the user whose trail it belongs to, or "system"'),
    seq: z.int().min(1).describe('Its number in the trail, without gaps'),
    at: z.int().min(0).describe('Epoch milliseconds; never decreases within a trail'),
    type: z.string(),
    outcome: z.enum(OUTCOMES),
    actor: z.strictObject({
      kind: z.enum(['user', 'api-key', 'anonymous', 'system']),
      userId: z.string().nullable(),
      credentialId: z.string().nullable().describe('The session or API key that was used'),
    }),
    source: z.strictObject({ address: z.string().nullable(), userAgent: z.string().nullable() }).nullable(),
    target: z.strictObject({ kind: z.string(), id: z.string() }).nullable(),
    before: StoredFacts.nullable(),
    after: StoredFacts.nullable(),
    occurrences: z.int().min(1).describe('How many events of this type it represents: repeating ones are counted'),
    previous: z.string().regex(hashPattern).describe('The hash of the previous entry'),
    hash: z.string().regex(hashPattern).describe('SHA-256 of the other fields in canonical JSON (RFC 8785)'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;

/** The end of a trail. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
  readonly at: number;
}

/** The trail that an event belongs to. */
export const trailOf = ({ trail, actor }: AuditEvent): Trail =>
  trail ?? ('userId' in actor ? actor.userId : SYSTEM_TRAIL);

/** The entry that follows the head of its trail. */
export const entryAfter = (head: Head | undefined, event: AuditEvent, now: number, occurrences: number): AuditEntry => {
  const { outcome, facts } = declarationOf(event.type);
  const body = {
    trail: trailOf(event),
    seq: (head?.seq ?? 0) + 1,
    // The clocks of machines differ a little; entries are ordered by their numbers.
    at: Math.max(Math.floor(now), head?.at ?? 0),
    type: event.type,
    outcome: event.outcome ?? outcome ?? 'success',
    actor: actorOf(event.actor),
    source: event.source === undefined ? null : sourceOf(event.source),
    target: targetOf(event),
    before: factsOf(facts, event.before),
    after: factsOf(facts, event.after),
    occurrences,
    previous: head?.hash ?? NO_HASH,
  };
  return { ...body, hash: hashOf(body) };
};

/** The hash that an entry must have. */
export const hashOf = ({ hash: _, ...body }: Omit<AuditEntry, 'hash'> & { readonly hash?: string }): string =>
  createHash('sha256').update(canonical(body)).digest('hex');

const actorOf = (actor: Actor): AuditEntry['actor'] => ({
  kind: actor.kind,
  userId: 'userId' in actor ? actor.userId : null,
  credentialId: credentialOf(actor),
});

const credentialOf = (actor: Actor): string | null => {
  if (actor.kind === 'api-key') return safeId('api-key', actor.keyId);
  if (actor.kind === 'user' && actor.sessionId !== undefined) return safeId('session', actor.sessionId);
  return null;
};

const sourceOf = ({ address, userAgent }: RequestSource): AuditEntry['source'] => ({
  address: isIP(address) === 0 ? null : address,
  userAgent: userAgent === undefined ? null : printable(userAgent),
});

/** The target of an event as recorded in its entry. */
export const targetOf = ({ type, target }: AuditEvent): AuditEntry['target'] => {
  const kind = declarationOf(type).target;
  return kind === undefined || target === undefined ? null : { kind, id: safeId(kind, target) };
};

/** An id of this kind; anything else, such as a token passed by mistake, is redacted. */
const safeId = (kind: TargetKind, id: string): string => (TARGETS[kind].safeParse(id).success ? id : REDACTED);

/** Bounded, and without control characters that would confuse a terminal or a log viewer. */
const printable = (text: string): string =>
  text.slice(0, userAgentLengthMax).toWellFormed().replaceAll(/\p{C}/gu, '\u{fffd}');
