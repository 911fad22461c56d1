import { createHash, randomBytes } from 'node:crypto';
import type { GivenSettings } from './arguments.ts';

const codeBytes = 16;

/** The settings with the hash of a new bootstrap code, unless they have one, and the code, which is kept nowhere. */
export const withBootstrapCode = (
  settings: GivenSettings,
): { readonly settings: GivenSettings; readonly code?: string } => {
  if (settings.bootstrapCodeHash) return { settings };
  const code = randomBytes(codeBytes).toString('base64url');
  return { settings: { ...settings, bootstrapCodeHash: createHash('sha256').update(code).digest('hex') }, code };
};
