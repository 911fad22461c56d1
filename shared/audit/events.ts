import * as z from 'zod';
import { NotificationChannel } from '#shared/model/channels';
import { CostBasisMethod } from '#shared/model/cost-basis';
import { DecimalString } from '#shared/model/decimal-string';
import { OrderSide, OrderStatus, OrderType } from '#shared/model/order';
import { ROLES, SCOPES } from '#shared/model/scopes';
import { Severity } from '#shared/model/severity';
import { VenueId } from '#shared/model/symbols';
import type { FactShape } from './facts.ts';

/*
 * The schemas of facts. None accepts free text, which keeps out names that users choose, messages, URLs with a path or
 * a query, mail addresses, tokens and keys.
 */
const id = z.uuid();
const flag = z.boolean();
const count = z.int().min(0);
const timestamp = z.int().min(0).describe('Epoch milliseconds');
/** Narrower than what venues list: a symbol in another script is redacted. */
const symbol = z.string().regex(/^[A-Z0-9]{1,20}\/[A-Z0-9]{1,20}(:[A-Z0-9-]{1,32})?$/);
const scopes = z.array(z.enum(SCOPES)).max(SCOPES.length);
const role = z.enum(ROLES);
const mode = z.enum(['paper', 'live']);
const channels = z.array(NotificationChannel).max(NotificationChannel.options.length);
const component = z.enum(['sync', 'alerts', 'realtime', 'all']);
/** A host only: the path and query of a URL may contain a secret. */
const host = z
  .string()
  .max(253)
  .regex(/^[a-z0-9.-]+$/i);

const account = { venue: VenueId, mode, readOnly: flag, syncSeconds: count, credentialsReplaced: flag };
const alert = {
  ...{ venue: VenueId, symbol, value: DecimalString },
  operator: z.enum(['above', 'below', 'crosses_above', 'crosses_below']),
  severity: Severity,
  channels,
};
const order = {
  ...{ accountId: id, symbol, amount: DecimalString, price: DecimalString, stopPrice: DecimalString },
  ...{ side: OrderSide, type: OrderType, status: OrderStatus },
};

const settings = {
  ...{ webhookHost: host, notificationChannels: channels },
  baseCurrency: z.string().regex(/^[A-Z0-9]{3,10}$/),
  timeZone: z
    .string()
    .max(64)
    .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/),
  quietHours: z.string().regex(/^\d\d:\d\d-\d\d:\d\d$/),
  costBasisMethod: CostBasisMethod,
  ...{ maxOrderValue: DecimalString, maxDailyLoss: DecimalString, maxOpenOrders: count },
};

/** The kinds of target, and the format of their ids. */
export const TARGETS = {
  user: id,
  session: id,
  'api-key': id,
  account: id,
  alert: id,
  order: id,
  plan: id,
  component,
} as const;
export type TargetKind = keyof typeof TARGETS;

export const OUTCOMES = ['success', 'failure', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

interface Declaration {
  /** The kind of its target; left out for an event without one. */
  readonly target?: TargetKind;
  /** The facts that `before` and `after` may contain. */
  readonly facts: FactShape;
  /** The outcome of an event that does not give one; `success` when left out. */
  readonly outcome?: Outcome;
  /** Anybody can cause it at will, so repetitions with the same target are counted instead of stored one by one. */
  readonly repeats?: true;
}

const loginFacts = { method: z.enum(['password', 'totp', 'recovery-code']) };
const refusal = (...reasons: [string, ...string[]]) => ({ reason: z.enum(reasons) });

/** Every type of event and the facts it may record. A type or fact that is not listed here cannot be recorded. */
export const EVENTS = {
  'auth.registered': { target: 'user', facts: { role } },
  'auth.login-succeeded': { target: 'session', facts: loginFacts },
  'auth.login-failed': {
    ...{ target: 'user', outcome: 'failure', repeats: true },
    facts: refusal('unknown-user', 'password', 'totp', 'no-code', 'locked', 'disabled'),
  },
  'auth.logged-out': { target: 'session', facts: {} },
  'auth.session-confirmed': { target: 'session', facts: loginFacts },
  'auth.session-revoked': { target: 'session', facts: {} },
  'auth.sessions-revoked': { target: 'user', facts: { sessions: count } },
  'auth.refresh-reused': { target: 'session', facts: {}, outcome: 'failure', repeats: true },
  'auth.locked': { target: 'user', facts: { until: timestamp }, outcome: 'failure', repeats: true },
  'auth.password-changed': { target: 'user', facts: { apiKeysDeleted: count } },
  'auth.password-reset-requested': { target: 'user', facts: {} },
  'auth.password-reset': { target: 'user', facts: { apiKeysDeleted: count } },
  'auth.email-verified': { target: 'user', facts: {} },
  'auth.totp-enabled': { target: 'user', facts: {} },
  'auth.totp-disabled': { target: 'user', facts: {} },
  'auth.recovery-codes-renewed': { target: 'user', facts: { codes: count } },
  'auth.role-changed': { target: 'user', facts: { role, disabled: flag } },
  'auth.user-disabled': { target: 'user', facts: { role, disabled: flag } },
  'auth.user-enabled': { target: 'user', facts: { role, disabled: flag } },
  'auth.access-denied': {
    ...{ outcome: 'failure', repeats: true },
    facts: { scope: z.enum(SCOPES) },
  },
  'api.key-created': { target: 'api-key', facts: { scopes, expiresAt: timestamp } },
  'api.key-revoked': { target: 'api-key', facts: {} },
  'api.key-refused': {
    ...{ target: 'api-key', outcome: 'failure', repeats: true },
    facts: refusal('disabled', 'expired', 'address'),
  },
  'api.rate-limited': { facts: { retryAfterSeconds: count }, outcome: 'failure', repeats: true },
  'trade.order-placed': { target: 'order', facts: order },
  'trade.order-canceled': { target: 'order', facts: order },
  'trade.order-rejected': { target: 'order', facts: order, outcome: 'failure' },
  'trade.rebalance-executed': { target: 'plan', facts: { accountId: id, trades: count } },
  'config.settings-changed': { target: 'user', facts: settings },
  'config.account-added': { target: 'account', facts: account },
  'config.account-changed': { target: 'account', facts: account },
  'config.account-removed': { target: 'account', facts: account },
  'config.alert-created': { target: 'alert', facts: alert },
  'config.alert-changed': { target: 'alert', facts: alert },
  'config.alert-removed': { target: 'alert', facts: alert },
  'secret.webhook-secret-shown': { target: 'user', facts: {}, repeats: true },
  'secret.signing-key-published': { facts: {} },
  'data.exported': { target: 'user', facts: { items: count } },
  'data.deletion-begun': { target: 'user', facts: {} },
  'data.user-deleted': { target: 'user', facts: {} },
  'data.audit-read': { target: 'user', facts: {}, repeats: true },
  'system.trail-opened': { target: 'user', facts: {} },
  'system.restarted': { target: 'component', facts: { operationId: id } },
} as const satisfies { readonly [type: string]: Declaration };

export type AuditType = keyof typeof EVENTS;

/** The declaration of a type, including its optional properties. */
export const declarationOf = (type: AuditType): Declaration => EVENTS[type];
