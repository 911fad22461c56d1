import { PLACE_FLAGS, type Place, placeOf, placeUsage, readFlags } from './command-options.ts';

export const auditVerifyUsage = `Usage: npm run audit:verify -- [options]

Walks every trail of the audit log and reports each entry that was changed, removed, moved or cut off.
Ends with 0 when there is none, with 1 when there is, and with 2 when the log could not be verified.

  ${placeUsage.data}
  ${placeUsage.stage}
  --save FILE            keep where each trail ends, when nothing is wrong
  --expect FILE          such a file from earlier: also shows that nothing before it was rewritten
  ${placeUsage.profile}
  ${placeUsage.region}
  --help                 this text

Keep the saved file where those who can write the log can't.
`;

const FLAGS = [...PLACE_FLAGS, 'save', 'expect'] as const;

/** Which log to verify, and against what. */
export interface AuditVerifyOptions {
  readonly place: Place;
  readonly saveTo?: string;
  readonly expectFrom?: string;
}

/**
 * Reads the command and the environment.
 * @throws {BadOption}
 */
export const readAuditVerifyOptions = (
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): AuditVerifyOptions | 'help' => {
  const flags = readFlags(args, FLAGS);
  if (flags.has('help')) return 'help';
  const [saveTo, expectFrom] = [flags.get('save'), flags.get('expect')];
  return {
    place: placeOf(flags, environment),
    ...(saveTo === undefined ? {} : { saveTo }),
    ...(expectFrom === undefined ? {} : { expectFrom }),
  };
};
