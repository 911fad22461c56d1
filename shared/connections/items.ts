import { itemKind } from '#shared/platform/item-kind';
import type { StoredConnection, Subscription, UserSocket } from './stored.ts';

/** A connection is closed with its session; anything left of it expires soon after. */
const expires = 'two hours and ten minutes after the connection was opened';

/** The kinds of items of open sockets. */
export const connectionsItems = [
  itemKind<StoredConnection>({
    kind: 'connection',
    owner: 'user',
    export: { omitted: 'a socket that is open: its session is exported' },
    erase: { expires },
  }),
  itemKind<UserSocket>({
    kind: 'user-socket',
    owner: 'user',
    export: { omitted: 'a socket that is open: its session is exported' },
    erase: { expires },
  }),
  itemKind<Subscription>({
    kind: 'subscription',
    owner: 'user',
    export: { omitted: 'what an open socket is subscribed to' },
    erase: { expires },
  }),
] as const;
