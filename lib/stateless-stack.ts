import { join } from 'node:path';
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { NamedEntry } from './deployed-function.ts';
import { environmentOf } from './environment.ts';
import { HttpGateway } from './http-gateway.ts';
import { MailSender } from './mail-sender.ts';
import { ManifestFunction } from './manifest-function.ts';
import { Monitoring } from './monitoring.ts';
import { Queues } from './queues.ts';
import { arnOf } from './resources.ts';
import { Schedules } from './schedules.ts';
import type { Settings } from './settings.ts';
import { SocketGateway } from './socket-gateway.ts';
import type { StatefulStack } from './stateful-stack.ts';
import { followTable } from './streams.ts';

export interface StatelessStackProps extends StackProps {
  readonly settings: Settings;
  readonly functions: readonly NamedEntry[];
  /** Folder that holds each function's bundle in a folder of its name. */
  readonly bundles: string;
  readonly version: string;
  readonly state: StatefulStack;
}

/** Everything that can be deleted and made again: the functions of the manifest and what calls them. */
export class StatelessStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    { settings, functions, bundles, version, state, ...props }: StatelessStackProps,
  ) {
    super(scope, id, props);
    const queues = new Queues(this, 'Queues', functions);
    const sockets = new SocketGateway(this, 'SocketGateway', settings);
    const mail = new MailSender(this, 'MailSender', settings);
    const resources = { state, queues, sockets, mail };

    const deployed = functions.map(
      (entry) =>
        new ManifestFunction(this, entry.name, {
          entry,
          code: Code.fromAsset(join(bundles, entry.name)),
          settings,
          environment: environmentOf(entry, { settings, version, resources }),
          arnOf: (resource) => arnOf(resources, resource),
        }),
    );

    const http = new HttpGateway(this, 'HttpGateway', { functions: deployed, settings });
    sockets.connect(deployed);
    queues.consume(deployed);
    followTable(state.table, deployed, queues);
    new Schedules(this, 'Schedules', { functions: deployed, queues, venues: settings.venues });
    new Monitoring(this, 'Monitoring', { functions: deployed, queues, mail, settings });

    new CfnOutput(this, 'HttpUrl', { value: http.url });
    new CfnOutput(this, 'WebSocketUrl', { value: sockets.url });
  }
}
