#!/usr/bin/env node
import type { DeadLetterOrigin } from '#functions/dead-letters';
import { BadOption } from '#local/given-settings';
import { type RedriveOptions, readRedriveOptions, redriveUsage } from '#local/redrive-options';
import type { Redriven } from '#shared/operations/redrive';
import { complaintOf } from './complaint.ts';

type Redrivable = Exclude<DeadLetterOrigin, { type: 'schedule' }>;

const schedulesExplained =
  'Scheduled runs are not sent back: the next one, due within a minute, does what the failed one left undone. ' +
  'The dead letters of schedules-dead only say why runs failed; SQS drops them after 14 days.';

const run = async (origin: Redrivable, { place, max }: Pick<RedriveOptions, 'place' | 'max'>): Promise<Redriven> => {
  if (place.type === 'here') {
    const { redriveHere } = await import('#local/redrive');
    return redriveHere(origin, { dataFolder: place.dataFolder, max });
  }
  Object.assign(process.env, place.env);
  const [{ redriveOnAws }, { stackNames }] = await Promise.all([
    import('./redrive-aws.ts'),
    import('../lib/stack-names.ts'),
  ]);
  return redriveOnAws(origin, { stack: stackNames(place.stage).stateless, max });
};

const count = (number: number, of: string): string => `${number} ${of}${number === 1 ? '' : 's'}`;

const summaryOf = (
  origin: Redrivable,
  place: RedriveOptions['place'],
  { handled, failures, left }: Redriven,
): string => {
  const { deadLetters } = origin;
  const failed = [...failures.values()].reduce((sum, number) => sum + number, 0);
  if (handled + failed === 0) {
    return left === 0
      ? `There are no dead letters in ${deadLetters}.`
      : `${count(left, 'dead letter')} of ${deadLetters} can't be had now, as after a redrive that was broken off: try again in 15 minutes.`;
  }
  const done =
    origin.type === 'stream'
      ? `${origin.consumer} handled ${count(handled, 'dead letter')} of ${deadLetters}.`
      : `${count(handled, 'message')} went back from ${deadLetters} to ${origin.queue}.`;
  return [
    done,
    ...[...failures].map(([why, number]) => `${number} could not be sent back: ${why}.`),
    ...(left > 0 ? [`${left} left in ${deadLetters}.`] : []),
    ...(place.type === 'here' && handled > 0 ? ['The server goes on with them when it is started again.'] : []),
  ].join('\n');
};

try {
  const options = readRedriveOptions(process.argv.slice(2), process.env);
  if (options === 'help') {
    console.log(redriveUsage);
  } else if (options.origin.type === 'schedule') {
    console.log(schedulesExplained);
  } else {
    const redriven = await run(options.origin, options);
    console.log(summaryOf(options.origin, options.place, redriven));
    if (redriven.failures.size > 0) process.exitCode = 1;
  }
} catch (error) {
  const complaint = complaintOf(error);
  if (complaint === undefined) throw error;
  console.error(complaint);
  process.exitCode = error instanceof BadOption ? 2 : 1;
}
