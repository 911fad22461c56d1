import type { FunctionEntry } from '#functions/manifest';
import { AUDIT_KEYS } from '#shared/audit/stored';
import { LIMIT_KEYS } from '#shared/limits/rate-limiter';
import type { Mailer, Platform, Push, Queue, Secrets } from '#shared/platform/ports';
import type { QueueName } from '#shared/platform/queues';
import type { Delete, Put, Table, Write } from '#shared/platform/table';

/** A function used what its manifest entry does not grant. On AWS its role would have refused it. */
export class NotGranted extends Error {
  override readonly name = 'NotGranted';
}

/**
 * The platform as one function gets it: what its manifest entry does not grant is refused, as its role refuses it on AWS.
 * Its logger adds the function's name.
 */
export const grantedPlatform = (
  platform: Platform,
  { name, grants, trigger }: Pick<FunctionEntry, 'grants' | 'trigger'> & { readonly name: string },
): Platform => {
  const refuse = (what: string, grant: string) => (): Promise<never> =>
    Promise.reject(
      new NotGranted(`The function ${name} may not ${what}: functions/manifest.ts, '${name}', grants.${grant}`),
    );

  const table = (): Table => {
    if (grants.table === 'read-write') return withoutAuditChanges(platform.table, name);
    const noRead = refuse('read the table', "table: 'read'");
    const noWrite = refuse('write the table', "table: 'read-write'");
    const writing = { put: noWrite, update: noWrite, delete: noWrite, writeMany: noWrite, transact: noWrite };
    const source = platform.table;
    const owns = (pk: string): boolean => grants.ownKeys?.some((keys) => pk.startsWith(keys)) === true;
    const mayPut = (pk: string): boolean => owns(pk) || grants.writeKeys?.some((keys) => pk.startsWith(keys)) === true;
    // Functions that serve requests count them.
    const mayUpdate = (pk: string): boolean =>
      (mayPut(pk) && !isAudit(pk)) || (trigger.type === 'http' && pk.startsWith(LIMIT_KEYS));
    const mayMake = (write: Write): boolean =>
      'check' in write ||
      ('put' in write && mayPut(write.put.pk)) ||
      ('update' in write && mayUpdate(write.update.pk)) ||
      ('delete' in write && owns(write.delete.pk));
    // Writes without a condition are sent as a batch, which takes an action of its own.
    const mayMakeOfMany = (write: Put | Delete): boolean =>
      write.if === undefined ? owns('put' in write ? write.put.pk : write.delete.pk) : mayMake(write);
    return grants.table === 'read'
      ? {
          get: (key, options) => source.get(key, options),
          getMany: (keys, options) => source.getMany(keys, options),
          query: (query) => source.query(query),
          ...writing,
          put: (item, condition) => (mayPut(item.pk) ? source.put(item, condition) : noWrite()),
          update: (key, changes, condition) => (mayUpdate(key.pk) ? source.update(key, changes, condition) : noWrite()),
          delete: (key, condition) => (owns(key.pk) ? source.delete(key, condition) : noWrite()),
          writeMany: (writes) => (writes.every(mayMakeOfMany) ? source.writeMany(writes) : noWrite()),
          transact: (writes) => (writes.every(mayMake) ? source.transact(writes) : noWrite()),
        }
      : { get: noRead, getMany: noRead, query: noRead, ...writing };
  };

  const secrets = (): Secrets => {
    const isNamed = (secret: string) => grants.secrets?.some((known) => known === secret) === true;
    const families = Object.entries(grants.secretFamilies ?? {});
    const reads = (secret: string) => isNamed(secret) || families.some(([family]) => secret.startsWith(`${family}/`));
    const makes = (secret: string) =>
      families.some(([family, access]) => access === 'read-write' && secret.startsWith(`${family}/`));
    const writes = (secret: string) => grants.writeSecrets?.some((known) => known === secret) === true || makes(secret);
    const no = (secret: string) =>
      refuse(`use the secret ${secret}`, `secrets: ['${secret}'], writeSecrets or secretFamilies`)();
    const source = platform.secrets;
    return {
      get: (secret, options) => (reads(secret) ? source.get(secret, options) : no(secret)),
      put: (secret, value) => (writes(secret) ? source.put(secret, value) : no(secret)),
      create: (secret, value) => (isNamed(secret) || makes(secret) ? source.create(secret, value) : no(secret)),
      // No role on AWS may.
      delete: no,
    };
  };

  const noMail = refuse('send mail', 'mail: true');
  const mailer: Mailer = grants.mail === true ? platform.mailer : { send: noMail };
  const noPush = refuse('send to connections', 'push: true');
  const push: Push = grants.push === true ? platform.push : { send: noPush, close: noPush };

  const queue = (queueName: QueueName): Queue => {
    const source = platform.queue(queueName);
    const noSend = refuse(`send to ${queueName}`, `send: ['${queueName}']`);
    const noReceive = refuse(`receive from ${queueName}`, `receive: ['${queueName}']`);
    const noWatch = refuse(`watch ${queueName}`, `watch: ['${queueName}']`);
    const sends = grants.send?.includes(queueName) === true;
    const receives = grants.receive?.includes(queueName) === true;
    return {
      send: sends ? (messages) => source.send(messages) : noSend,
      receive: receives ? (max, visibilitySeconds) => source.receive(max, visibilitySeconds) : noReceive,
      remove: receives ? (receipt) => source.remove(receipt) : noReceive,
      release: receives ? (receipt, seconds) => source.release(receipt, seconds) : noReceive,
      depth: grants.watch?.includes(queueName) === true ? () => source.depth() : noWatch,
    };
  };

  return {
    ...platform,
    logger: platform.logger.createChild({ persistentKeys: { function: name } }),
    table: table(),
    secrets: secrets(),
    mailer,
    push,
    queue,
  };
};

const isAudit = (pk: string): boolean => pk.startsWith(AUDIT_KEYS);

/** Items of the audit log are put, and neither changed nor deleted: each role on AWS denies that. */
const withoutAuditChanges = (source: Table, name: string): Table => {
  const refuse = (): Promise<never> =>
    Promise.reject(new NotGranted(`The function ${name} may not change the audit log`));
  const changes = (write: Write): boolean =>
    ('update' in write && isAudit(write.update.pk)) || ('delete' in write && isAudit(write.delete.pk));
  return {
    get: (key, options) => source.get(key, options),
    getMany: (keys, options) => source.getMany(keys, options),
    query: (query) => source.query(query),
    put: (item, condition) => source.put(item, condition),
    update: (key, update, condition) => (isAudit(key.pk) ? refuse() : source.update(key, update, condition)),
    delete: (key, condition) => (isAudit(key.pk) ? refuse() : source.delete(key, condition)),
    writeMany: (writes) => (writes.some(changes) ? refuse() : source.writeMany(writes)),
    transact: (writes) => (writes.some(changes) ? refuse() : source.transact(writes)),
  };
};
