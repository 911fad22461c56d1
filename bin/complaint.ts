import { BadOption } from '#local/given-settings';
import { DomainError } from '#shared/platform/errors';

/** What the operator can correct; undefined for an unexpected error. */
export const complaintOf = (error: unknown): string | undefined => {
  if (error instanceof BadOption) return error.message;
  if (error instanceof DomainError) return `${error.message}.`;
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'CredentialsProviderError' || /token.*expired/i.test(error.message)) {
    return 'There are no AWS credentials that work: sign in, for example with "aws sso login", and name the profile with --profile.';
  }
  if (error.message === 'Region is missing') return 'No AWS region is set: name it with --region.';
  if (/AccessDenied/.test(error.name)) return `The AWS credentials may not do that: ${error.message}`;
  return undefined;
};
