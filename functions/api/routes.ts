import type { Route } from '#functions/http/route';
import * as administration from './administration.routes.ts';
import * as alerts from './alerts.routes.ts';
import * as apiKeys from './api-keys.routes.ts';
import * as audit from './audit.routes.ts';
import * as email from './email.routes.ts';
import * as exchange from './exchange.routes.ts';
import * as jwks from './jwks.routes.ts';
import * as market from './market.routes.ts';
import * as passwords from './passwords.routes.ts';
import * as removal from './removal.routes.ts';
import * as sessions from './sessions.routes.ts';
import * as system from './system.routes.ts';
import * as totp from './totp.routes.ts';
import * as users from './users.routes.ts';

const declared = (declarations: object): readonly Route[] => Object.values(declarations);

/** The routes of each API function. */
export const routesOf = {
  alerts: declared(alerts),
  exchange: declared(exchange),
  market: declared(market),
  removal: declared(removal),
  system: [system, audit].flatMap(declared),
  users: [users, sessions, passwords, email, totp, apiKeys, administration, jwks].flatMap(declared),
};

/** Every HTTP route of the system. */
export const routes: readonly Route[] = Object.values(routesOf).flat();
