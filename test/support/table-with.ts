import type { Table } from '#shared/platform/table';

/** The table with some of its methods replaced, for a test that has it lag, fail or count. */
export const tableWith = (table: Table, methods: Partial<Table>): Table => ({
  get: (...args) => table.get(...args),
  getMany: (...args) => table.getMany(...args),
  query: (...args) => table.query(...args),
  put: (...args) => table.put(...args),
  update: (...args) => table.update(...args),
  delete: (...args) => table.delete(...args),
  writeMany: (...args) => table.writeMany(...args),
  transact: (...args) => table.transact(...args),
  ...methods,
});
