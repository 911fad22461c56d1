import * as z from 'zod';
import { AuditReader } from '#shared/audit/audit-reader';
import { userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { InvalidCursor } from '#shared/platform/errors';
import type { ExportPorts } from '#shared/platform/item-kind';
import type { Item } from '#shared/platform/table';
import { declarationOf } from './item-kinds.ts';

/** A page ends with the batch that reaches this size; a Lambda response is limited to 6 MB. */
const pageBytes = 2 * 1024 * 1024;
/** Items per read, and reads per page: much of what is read may be omitted from the export. */
const batchItems = 100;
const batchesMax = 100;

/** An item of the user as the export shows it, with its kind. */
const Exported = z.looseObject({ kind: z.string() });
type Exported = z.infer<typeof Exported>;

export const ExportPage = z
  .strictObject({
    exportedAt: z.int().describe('Epoch milliseconds'),
    items: z.array(Exported).describe('The profile, and all else by its kind, as the API shows it'),
    nextCursor: z.string().nullable().describe('Where the next part begins; null: there is none'),
  })
  .meta({ id: 'Export' });

/**
 * Everything that is stored about a user, page by page: first their partition, where each kind is shown as its
 * capability declares, then their audit trail.
 */
export class UserExport {
  readonly #ports: ExportPorts;
  readonly #audit: AuditReader;

  constructor(ports: ExportPorts) {
    this.#ports = ports;
    this.#audit = new AuditReader(ports);
  }

  /** @param cursor of the previous page @throws {InvalidCursor} */
  async page(
    userId: UserId,
    cursor: string | undefined,
  ): Promise<{ readonly items: Exported[]; readonly cursor?: string }> {
    const items: Exported[] = [];
    let next: Place | undefined = placeOf(cursor);
    for (let bytes = 0, read = 0; next !== undefined && bytes < pageBytes && read < batchesMax; read += 1) {
      const batch: Batch = await this.#batch(userId, next);
      items.push(...batch.items);
      bytes += batch.items.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0);
      next = batch.next;
    }
    return { items, ...(next === undefined ? {} : { cursor: textOf(next) }) };
  }

  async #batch(userId: UserId, { part, cursor }: Place): Promise<Batch> {
    const page = { limit: batchItems, ...(cursor === undefined ? {} : { cursor }) };
    if (part === 'audit') {
      const read = await this.#audit.ofUser(userId, {}, page);
      const items = read.items.map((entry) => ({ kind: 'audit-entry', ...entry }));
      return { items, next: read.cursor === undefined ? undefined : { part, cursor: read.cursor } };
    }
    const read = await this.#ports.table.query<Item>({ pk: userKey(userId).pk, ...page, consistent: true });
    const items = await Promise.all(read.items.map((item) => this.#exported(item)));
    return { items: items.flat(), next: read.cursor === undefined ? { part: 'audit' } : { part, cursor: read.cursor } };
  }

  async #exported(item: Item): Promise<Exported[]> {
    const declaration = declarationOf(item.kind);
    if (declaration?.owner !== 'user' || !('view' in declaration.export)) return [];
    return [{ kind: item.kind, ...(await declaration.export.view(declaration.read(item), this.#ports)) }];
  }
}

/** Where the next batch begins: in the user's partition or in their trail. */
interface Place {
  readonly part: 'user' | 'audit';
  readonly cursor?: string | undefined;
}

interface Batch {
  readonly items: Exported[];
  readonly next: Place | undefined;
}

const textOf = ({ part, cursor = '' }: Place): string => `${part}.${cursor}`;

const placeOf = (text: string | undefined): Place => {
  if (text === undefined) return { part: 'user' };
  const [, part, cursor] = /^(user|audit)\.(.*)$/s.exec(text) ?? [];
  if (part !== 'user' && part !== 'audit') throw new InvalidCursor('The cursor was not given by this list');
  return { part, cursor: cursor === '' ? undefined : cursor };
};
