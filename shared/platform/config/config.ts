import * as z from 'zod';
import { accounts } from './accounts.ts';
import { auth } from './auth.ts';
import { exchange } from './exchange.ts';
import { http } from './http.ts';
import { mail } from './mail.ts';
import { market } from './market.ts';
import { notifications } from './notifications.ts';
import type { Section, Setting } from './setting.ts';
import { users } from './users.ts';

/** The settings of every capability. */
export const SECTIONS = { market, exchange, accounts, users, auth, mail, http, notifications };
type Sections = typeof SECTIONS;
export type SectionName = keyof Sections;

type Shape<S extends Section> = { readonly [name in keyof S]: S[name]['schema'] };

const schemaOf = <S extends Section>(section: S) =>
  z
    .object(Object.fromEntries(Object.entries(section).map(([name, { schema }]) => [name, schema])) as Shape<S>)
    .readonly();

/** How an installation is set up; read once, at start. */
export const Config = z
  .object({
    version: z.string(),
    /**
     * Where this process is the only writer of the store: when it started, epoch ms. What an earlier process held, such as
     * a lease, ended with it. 0 where other processes write as well.
     */
    soleWriterSince: z.number().default(0),
    market: schemaOf(market),
    exchange: schemaOf(exchange),
    accounts: schemaOf(accounts),
    users: schemaOf(users),
    auth: schemaOf(auth),
    mail: schemaOf(mail),
    http: schemaOf(http),
    notifications: schemaOf(notifications),
  })
  .readonly();
export interface Config extends z.output<typeof Config> {}

/** Values of some settings, by section. */
export type SomeSettings = { readonly [name in SectionName]?: Partial<Config[name]> };

/** Every setting, with its section and its name there. */
export const everySetting = (): { readonly section: SectionName; readonly name: string; readonly setting: Setting }[] =>
  Object.entries(SECTIONS).flatMap(([section, settings]) =>
    Object.entries(settings as Section).map(([name, setting]) => ({ section: section as SectionName, name, setting })),
  );

/** Settings with others in place of some of them. */
export const withSettings = <T extends SomeSettings>(settings: T, changes: SomeSettings): T => ({
  ...settings,
  ...Object.fromEntries(
    Object.entries(changes).map(([section, values]) => [section, { ...settings[section as SectionName], ...values }]),
  ),
});
