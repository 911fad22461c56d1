import * as z from 'zod';
import { setting } from './setting.ts';

export const users = {
  /** Who may register: anybody, or only the first user, who becomes admin. */
  registration: setting(z.enum(['open', 'first-user']).default('first-user'), {
    variable: 'ALPHAPULSE_REGISTRATION',
    oneMachine: { expected: 'open or first-user' },
  }),
  /** SHA-256, in hex, of the code that the first user needs to register; without it nobody needs one. */
  bootstrapCodeHash: setting(
    z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .exactOptional(),
    {
      variable: 'ALPHAPULSE_BOOTSTRAP_CODE_HASH',
    },
  ),
  /** Whether alerts are mailed only to verified addresses; `assumed` where mails stay on the machine. */
  emailVerification: setting(z.enum(['required', 'assumed']).default('required'), {
    oneMachine: { default: 'assumed' },
  }),
};
