/** What a caller may do, `area:verb`. */
export const SCOPES = [
  'portfolio:read',
  'exchange:read',
  'exchange:write',
  'trade:write',
  'alerts:read',
  'alerts:write',
  'market:read',
  'system:read',
  'system:admin',
  'users:admin',
] as const;
export type Scope = (typeof SCOPES)[number];

export const ROLES = ['viewer', 'trader', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const viewer: readonly Scope[] = ['portfolio:read', 'exchange:read', 'alerts:read', 'market:read', 'system:read'];
const trader: readonly Scope[] = [...viewer, 'alerts:write', 'exchange:write', 'trade:write'];
const admin: readonly Scope[] = [...trader, 'system:admin', 'users:admin'];

/** The scopes of each role; every role has those of the one before. */
export const SCOPES_OF_ROLE: Readonly<Record<Role, readonly Scope[]>> = { viewer, trader, admin };
