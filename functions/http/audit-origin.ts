import type { Actor, AuditOrigin } from '#shared/audit/entry';
import type { Caller } from './caller.ts';

/** What of a request tells who asks and from where. */
interface Asked {
  readonly caller?: Caller;
  readonly sourceAddress: string;
  readonly userAgent: string;
}

/** Who asks and from where, as the audit log has it: `audit.record({ ...originOf(request), type: … })`. */
export const originOf = ({ caller, sourceAddress, userAgent }: Asked): AuditOrigin => ({
  actor: caller === undefined ? { kind: 'anonymous' } : actorOf(caller),
  source: { address: sourceAddress, userAgent },
});

const actorOf = (caller: Caller): Actor =>
  'sessionId' in caller
    ? { kind: 'user', userId: caller.userId, sessionId: caller.sessionId }
    : { kind: 'api-key', userId: caller.userId, keyId: caller.apiKeyId };
