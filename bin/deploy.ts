import { readArguments } from '../lib/commands/arguments.ts';
import { deploy, deployUsage } from '../lib/commands/deploy.ts';
import { runCommand } from './command.ts';

await runCommand(readArguments, deployUsage, deploy);
