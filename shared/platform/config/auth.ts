import * as z from 'zod';
import { setting } from './setting.ts';

export const auth = {
  /** How long a session, an API key and its owner are cached, seconds; 0 reads them for every request. */
  sessionCacheSeconds: setting(z.number().min(0).default(60), { oneMachine: { default: 0 } }),
};
