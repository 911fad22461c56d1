import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { hasCredentialsOf, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { Conflict, NotFound, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, type Item, type Key, keyOf, PRESENT, type Update } from '#shared/platform/table';
import { enqueueSecurityNotice } from '#shared/users/security-mail-job';
import { Credentials } from './credentials.ts';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import { wrongCode } from './refusals.ts';
import type { Sessions } from './sessions.ts';
import type { SessionId } from './stored-session.ts';
import { newTotpSecret, totpStep, totpUri } from './totp.ts';
import { type StoredTotp, TotpCodes, totpKey } from './totp-codes.ts';

/** How long a secret waits for the first code of the app that it was given to. */
const setupMinutes = 15;

/** A secret that was given out and not proved yet. */
export interface TotpSetup extends Item {
  readonly kind: 'totp-setup';
  readonly sealed: string;
  readonly expiresAt: number;
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'logger' | 'queue'>;

/** How users get, keep and give up a second factor: codes by time (RFC 6238), and recovery codes for when the app is lost. */
export class SecondFactor {
  readonly #ports: Ports;
  readonly #sessions: Sessions;
  readonly #credentials: Credentials;
  readonly #codes: TotpCodes;
  readonly #audit: AuditLog;

  constructor(ports: Ports, sessions: Sessions) {
    this.#ports = ports;
    this.#sessions = sessions;
    this.#credentials = new Credentials(ports);
    this.#codes = new TotpCodes(ports);
    this.#audit = new AuditLog(ports);
  }

  /**
   * Makes a secret for an authenticator app. It counts for nothing until {@link enable} has seen a code of it, within
   * {@link setupMinutes}; the next one replaces it.
   * @throws {Conflict} there is a second factor already
   */
  async setUp(userId: UserId): Promise<{ readonly secret: string; readonly uri: string }> {
    const { table, clock, random } = this.#ports;
    const user = await this.#user(userId);
    if (user.totpEnabled === true) throw enabledAlready();
    const secret = newTotpSecret(random);
    const setup: TotpSetup = {
      ...setupKey(userId),
      kind: 'totp-setup',
      sealed: await this.#codes.seal(userId, secret),
      expiresAt: Math.ceil(clock.now() / 1000) + setupMinutes * 60,
    };
    await table.put(setup);
    return { secret, uri: totpUri(secret, user.email) };
  }

  /**
   * Asks for codes from now on, and ends the user's other sessions, which were opened without. The password shows that it
   * is not somebody with a stolen token who locks the user out.
   * @returns recovery codes, which are told this once
   * @throws {InvalidTotp} the code is not of the secret that was set up last
   * @throws {InvalidCredentials | TooManyAttempts}
   * @throws {Conflict} there is a second factor already, or nothing was set up
   */
  async enable(
    userId: UserId,
    session: SessionId,
    { password, code }: { readonly password: string; readonly code: string },
    origin: AuditOrigin,
  ): Promise<readonly string[]> {
    const { table, clock, random } = this.#ports;
    const user = await this.#user(userId);
    if (user.totpEnabled === true) throw enabledAlready();
    const setup = await table.get<TotpSetup>(setupKey(userId), { consistent: true });
    if (setup === undefined || setup.expiresAt * 1000 <= clock.now()) {
      throw new Conflict('Set it up first: POST /api/user/totp/setup gives a secret, good for a quarter of an hour.');
    }
    const { attempt } = await this.#credentials.ofUser(userId, { password }, origin);
    await attempt.succeeded();
    const { sealed } = setup;
    const step = totpStep(await this.#codes.unseal(userId, sealed), code.replaceAll(/\s/g, ''), clock.now());
    if (step === undefined) throw wrongCode();
    const { codes, hashes } = this.#recoveryCodes(random);
    const stored: StoredTotp = { ...totpKey(userId), kind: 'totp', sealed, lastStep: step, recoveryCodes: hashes };
    const writes = [
      await this.#userUpdate(user, true, origin),
      { put: stored, if: ABSENT },
      { delete: setupKey(userId), if: equals('sealed', sealed) },
    ];
    const event = { ...origin, type: 'auth.totp-enabled', trail: userId, target: userId } as const;
    try {
      await this.#sessions.endWith(userId, session, writes, () => event);
    } catch (error) {
      throw error instanceof TransactionCanceled ? changedMeanwhile() : error;
    }
    return codes;
  }

  /**
   * Asks for no codes any more.
   * @throws {Conflict} there is no second factor
   * @throws {InvalidCredentials | InvalidTotp | TooManyAttempts}
   */
  async disable(userId: UserId, shown: { readonly password: string; readonly code: string }, origin: AuditOrigin) {
    await this.#checkEnabled(userId);
    const proof = await this.#credentials.ofUser(userId, { password: shown.password, totp: shown.code }, origin);
    const event = { ...origin, type: 'auth.totp-disabled', trail: userId, target: userId } as const;
    // The code needs no using up: what it could be used with goes. That it was not used is a condition all the same.
    const isUnused = proof.writes.map((write) => write.if ?? PRESENT);
    const writes = [
      await this.#userUpdate(proof.user, false, origin),
      { delete: totpKey(userId), if: allOf(PRESENT, ...isUnused) },
    ];
    try {
      await this.#audit.transact(writes, event);
    } catch (error) {
      throw error instanceof TransactionCanceled ? changedMeanwhile() : error;
    }
    await proof.attempt.succeeded();
  }

  /**
   * Replaces the recovery codes, used and unused.
   * @returns the new ones, which are told this once
   * @throws {Conflict} there is no second factor
   * @throws {InvalidTotp | TooManyAttempts}
   */
  async renewRecoveryCodes(userId: UserId, code: string, origin: AuditOrigin): Promise<readonly string[]> {
    await this.#checkEnabled(userId);
    const { writes, attempt } = await this.#credentials.ofCode(userId, code, origin);
    const { codes, hashes } = this.#recoveryCodes(this.#ports.random);
    const event = { ...origin, type: 'auth.recovery-codes-renewed', trail: userId, target: userId } as const;
    const renewed = writes.map(
      ({ update, changes, if: isUnused }): Update => ({
        update,
        changes: { set: { ...changes.set, recoveryCodes: hashes } },
        ...(isUnused && { if: isUnused }),
      }),
    );
    try {
      await this.#audit.transact(renewed, { ...event, after: { codes: codes.length } });
    } catch (error) {
      throw error instanceof TransactionCanceled ? wrongCode() : error;
    }
    await attempt.succeeded();
    return codes;
  }

  async #user(userId: UserId): Promise<StoredUser> {
    const user = await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
    if (user === undefined) throw new NotFound('This user does not exist any more.');
    return user;
  }

  async #checkEnabled(userId: UserId): Promise<void> {
    if ((await this.#user(userId)).totpEnabled !== true) throw new Conflict('There is no second factor.');
  }

  /** Once its notice is ordered. */
  async #userUpdate(user: StoredUser, totpEnabled: boolean, { source }: AuditOrigin): Promise<Update> {
    const { clock, ids } = this.#ports;
    const { userId } = user;
    const totpChange = ids.next();
    const mail = totpEnabled ? 'totp-enabled' : 'totp-disabled';
    await enqueueSecurityNotice(this.#ports, { mail, orderId: totpChange, at: clock.now(), userId, source });
    return {
      update: userKey(userId),
      changes: { set: { totpEnabled, totpChange }, add: { version: 1 } },
      if: allOf(PRESENT, hasCredentialsOf(user)),
    };
  }

  #recoveryCodes(random: Ports['random']) {
    const codes = newRecoveryCodes(random);
    const hashes = Object.fromEntries(codes.map((code) => [recoveryCodeHash(code), true as const]));
    return { codes, hashes };
  }
}

const setupKey = (userId: UserId): Key => ({ pk: keyOf('USER', userId), sk: 'TOTP-SETUP' });
const enabledAlready = () => new Conflict('There is a second factor already; disable it first.');
const changedMeanwhile = () => new Conflict('The password or the second factor was changed meanwhile.');
