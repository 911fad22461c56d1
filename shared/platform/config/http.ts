import * as z from 'zod';
import { listText, numberText, setting } from './setting.ts';

const originsMax = 20;
const Origin = z.string().refine((text) => URL.parse(text)?.origin === text, 'must be an origin');

export const http = {
  /** Origins whose pages may call the API and open sockets. */
  corsOrigins: setting(z.array(Origin).max(originsMax).readonly().default([]), {
    variable: 'ALPHAPULSE_CORS_ORIGINS',
    text: listText,
    // Where the development server of a web app is, as Vite starts it.
    oneMachine: {
      default: ['http://localhost:5173'],
      expected: 'a list of origins such as http://localhost:5173',
    },
  }),
  /** Multiplies the request limits that routes declare: 1, or more for load tests. */
  requestLimitFactor: setting(z.number().min(0.1).max(1_000_000).default(1), {
    variable: 'ALPHAPULSE_REQUEST_LIMIT_FACTOR',
    text: numberText,
    oneMachine: { expected: 'a number from 0.1 such as 10' },
  }),
  /** Whether browsers are required to use TLS (Strict-Transport-Security, RFC 6797). */
  strictTransport: setting(z.boolean().default(true), { oneMachine: { default: false } }),
};
