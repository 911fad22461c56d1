import type { Logger } from '@aws-lambda-powertools/logger';
import type { UserId } from '#shared/users/user';
import type { Role } from './scopes.ts';
import type { SessionId } from './stored-session.ts';

/** What happened to somebody's access. It holds no secrets. */
export type SecurityEvent =
  | {
      readonly type: 'refresh-token-reused';
      readonly userId: UserId;
      readonly sessionId: SessionId;
      readonly address: string;
    }
  | {
      readonly type: 'user-changed';
      readonly userId: UserId;
      readonly by: UserId;
      readonly role: Role;
      readonly disabled: boolean;
    };

/** The one place where security events are recorded. */
export const recordSecurityEvent = (
  { logger }: { readonly logger: Pick<Logger, 'warn'> },
  event: SecurityEvent,
): void => logger.warn('Security event', { securityEvent: event });
