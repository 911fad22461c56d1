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

/** The trail of what concerns no user. */
export const SYSTEM_TRAIL = 'system';
/** Whose trail an entry belongs to: each user has one, the system has one. */
export type Trail = UserId | typeof SYSTEM_TRAIL;

const userAgentLengthMax = 200;
const hashPattern = /^[0-9a-f]{64}$/;
/** What the first entry of a trail has as the hash before it. */
export const NO_HASH = '0'.repeat(64);

/** Who did it. */
export type Actor =
  | { readonly kind: 'user'; readonly userId: UserId; readonly sessionId?: string }
  | { readonly kind: 'api-key'; readonly userId: UserId; readonly keyId: string }
  /** Somebody who is not logged in, whatever they claim to be. */
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'system' };

/** Where a request came from, as the gateway saw it. */
export interface RequestSource {
  readonly address: string;
  readonly userAgent?: string;
}

/** Who asks for something, and from where. */
export interface AuditOrigin {
  readonly actor: Actor;
  readonly source: RequestSource;
}

type TargetOf<T extends AuditType> = (typeof EVENTS)[T] extends { readonly target: TargetKind } ? string : undefined;

/** An event of one type, as it is given to the log. */
interface EventOf<T extends AuditType> {
  readonly type: T;
  readonly actor: Actor;
  /** From the request; left out for what no request caused. */
  readonly source?: RequestSource;
  /** Left out: that of the acting user, or the system's when there is none. */
  readonly trail?: Trail;
  /** The id of what it was done to, of the kind that its type has. */
  readonly target?: TargetOf<T>;
  /** A whole domain object may be given: only the facts that {@link EVENTS} names for the type get in. */
  readonly before?: Facts<(typeof EVENTS)[T]['facts']>;
  readonly after?: Facts<(typeof EVENTS)[T]['facts']>;
  /** Left out: what is usual for the type. */
  readonly outcome?: Outcome;
}

/** Something to write down. */
export type AuditEvent = { [T in AuditType]: EventOf<T> }[AuditType];

/** An entry of a trail. Later fields can only be added as ones that may be missing: the hash covers those that are there. */
export const AuditEntry = z
  .strictObject({
    trail: z.string().describe('The id of the user whose trail it belongs to, or "system"'),
    seq: z.int().min(1).describe('Its number in the trail, without gaps'),
    at: z.int().min(0).describe('Epoch milliseconds; never goes back within a trail'),
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
    occurrences: z.int().min(1).describe('How many events of this type it stands for: those that repeat are counted'),
    previous: z.string().regex(hashPattern).describe('The hash of the entry before'),
    hash: z.string().regex(hashPattern).describe('SHA-256 of the other fields in canonical JSON (RFC 8785)'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Where a trail ends. */
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
    // Clocks of several machines differ a little; the order of entries is that of their numbers.
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

/** What the hash of an entry is to be. */
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

/** What it was done to, as its entry says. */
export const targetOf = ({ type, target }: AuditEvent): AuditEntry['target'] => {
  const kind = declarationOf(type).target;
  return kind === undefined || target === undefined ? null : { kind, id: safeId(kind, target) };
};

/** An id of this kind; what is none, such as a token that stands in its place, does not get in. */
const safeId = (kind: TargetKind, id: string): string => (TARGETS[kind].safeParse(id).success ? id : REDACTED);

/** Bounded, and without what would lead a terminal or a log astray. */
const printable = (text: string): string =>
  text.slice(0, userAgentLengthMax).toWellFormed().replaceAll(/\p{C}/gu, '\u{fffd}');
