import type { SecretFamily, SecretName } from '../functions/manifest.ts';
import type { SharedResource } from './grants.ts';
import type { MailSender } from './mail-sender.ts';
import type { DeployedQueue } from './queue-names.ts';
import type { Queues } from './queues.ts';
import type { SocketGateway } from './socket-gateway.ts';
import type { StatefulStack } from './stateful-stack.ts';
import { streamArnOf } from './streams.ts';

/** What functions share. */
export interface Resources {
  readonly state: StatefulStack;
  readonly queues: Queues;
  readonly sockets: SocketGateway;
  readonly mail: MailSender;
}

/** @throws {Error} the queue or secret does not exist */
export const arnOf = ({ state, queues, sockets, mail }: Resources, resource: SharedResource): string => {
  const [kind, name = ''] = resource.split(':');
  switch (kind as FirstPart<SharedResource>) {
    case 'table':
      return state.table.tableArn;
    case 'table-index':
      return `${state.table.tableArn}/index/${name}`;
    case 'table-stream':
      return streamArnOf(state.table);
    case 'queue':
      return queues.get(name as DeployedQueue).queueArn;
    case 'secret':
      return state.secretArn(name as SecretName);
    case 'secret-family':
      return state.secretFamilyArn(name as SecretFamily);
    case 'mail-identities':
      return mail.identitiesArn;
    case 'mail-configuration-set':
      return mail.configurationSetArn;
    case 'socket-connections':
      return sockets.connectionsArn;
  }
};

type FirstPart<Name extends string> = Name extends `${infer Kind}:${string}` ? Kind : Name;
