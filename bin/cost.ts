/** `npm run cost`: what a deployment costs in a month, by service and number of users. */
import { costTable, priceNote } from '../lib/cost/model.ts';
import { ACCOUNTS_PER_USER, USER_DAY } from '../lib/cost/usage.ts';

const { requests, socketMinutes, alerts } = USER_DAY;
console.log(costTable());
console.log(`\n${priceNote}`);
console.log(
  `A user makes ${requests} requests, keeps a socket open for ${socketMinutes} minutes and gets ${alerts} alerts by mail, each day,\nand has ${ACCOUNTS_PER_USER} exchange account that is synchronised each minute.`,
);
