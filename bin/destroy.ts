import { readArguments } from '../lib/commands/arguments.ts';
import { destroy, destroyUsage } from '../lib/commands/destroy.ts';
import { runCommand } from './command.ts';

await runCommand((args) => readArguments(args, { canDeleteData: true }), destroyUsage, destroy);
