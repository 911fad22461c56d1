import { AuditLog } from '#shared/audit/audit-log';
import type { AuditOrigin } from '#shared/audit/entry';
import { Credentials } from '#shared/auth/credentials';
import { inSession } from '#shared/auth/in-session';
import { newRecoveryCodes, recoveryCodeHash } from '#shared/auth/recovery-codes';
import { wrongCodeAgain } from '#shared/auth/refusals';
import { enqueueSecurityNotice } from '#shared/auth/security-mail-job';
import type { Sessions } from '#shared/auth/sessions';
import type { SessionId } from '#shared/auth/stored-session';
import { newTotpSecret, totpStep, totpUri } from '#shared/auth/totp';
import { type StoredTotp, TotpCodes, totpKey } from '#shared/auth/totp-codes';
import { hasCredentialsOf, noSuchUser, type StoredUser, userKey } from '#shared/identity/stored-user';
import type { UserId } from '#shared/model/user-id';
import { Conflict, TransactionCanceled } from '#shared/platform/errors';
import type { Platform } from '#shared/platform/ports';
import { ABSENT, allOf, equals, type Item, type Key, keyOf, PRESENT, type Update } from '#shared/platform/table';

/** How long a secret waits for the first code from the app. */
const setupMinutes = 15;

/** A secret that was issued and is not confirmed yet. */
export interface TotpSetup extends Item {
  readonly kind: 'totp-setup';
  readonly sealed: string;
  readonly expiresAt: number;
}

type Ports = Pick<Platform, 'table' | 'secrets' | 'clock' | 'ids' | 'random' | 'logger' | 'queue'>;

/** Enabling and disabling the second factor of users: TOTP codes (RFC 6238), and recovery codes in case the app is lost. */
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
   * Creates a secret for an authenticator app. It has no effect until {@link enable} receives one of its codes, within
   * {@link setupMinutes}; another call replaces it.
   * @throws {Conflict} the second factor is already enabled
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
   * Requires codes from now on, and ends the user's other sessions, which were opened without one. The password keeps
   * somebody with a stolen token from locking the user out.
   * @returns recovery codes, which are shown only this once
   * @throws {WrongCredentials} the password is wrong, or the code does not belong to the latest secret
   * @throws {TooManyAttempts}
   * @throws {Conflict} the second factor is already enabled, or was not set up
   */
  async enable(
    userId: UserId,
    session: SessionId,
    { password, totp }: { readonly password: string; readonly totp: string },
    origin: AuditOrigin,
  ): Promise<readonly string[]> {
    const { table, clock, random } = this.#ports;
    const user = await this.#user(userId);
    if (user.totpEnabled === true) throw enabledAlready();
    const setup = await table.get<TotpSetup>(setupKey(userId), { consistent: true });
    if (setup === undefined || setup.expiresAt * 1000 <= clock.now()) {
      throw new Conflict('Set it up first: POST /api/user/totp/setup returns a secret that is valid for 15 minutes.');
    }
    const { attempt } = await this.#credentials.ofUser(userId, { password }, origin);
    await attempt.succeeded();
    const { sealed } = setup;
    const step = totpStep(await this.#codes.unseal(userId, sealed), totp.replaceAll(/\s/g, ''), clock.now());
    if (step === undefined) throw wrongCodeAgain();
    const { codes, hashes } = this.#recoveryCodes(random);
    const stored: StoredTotp = { ...totpKey(userId), kind: 'totp', sealed, lastStep: step, recoveryCodes: hashes };
    const writes = [
      await this.#userUpdate(user, true, origin),
      { put: stored, if: ABSENT },
      { delete: setupKey(userId), if: equals('sealed', sealed) },
    ];
    const event = { ...origin, type: 'auth.totp-enabled', trail: userId, target: userId } as const;
    try {
      await inSession(origin, writes, (all) => this.#sessions.endWith(userId, session, all, () => event));
    } catch (error) {
      throw error instanceof TransactionCanceled ? changedMeanwhile() : error;
    }
    return codes;
  }

  /**
   * Stops requiring codes.
   * @throws {Conflict} there is no second factor
   * @throws {WrongCredentials | TooManyAttempts}
   */
  async disable(
    userId: UserId,
    { password, totp }: { readonly password: string; readonly totp: string },
    origin: AuditOrigin,
  ): Promise<void> {
    await this.#checkEnabled(userId);
    const proof = await this.#credentials.ofUser(userId, { password, totp }, origin);
    const event = { ...origin, type: 'auth.totp-disabled', trail: userId, target: userId } as const;
    // The code need not be marked as used, as the factor is removed. That it is unused is a condition all the same.
    const isUnused = proof.writes.map((write) => write.if ?? PRESENT);
    const writes = [
      await this.#userUpdate(proof.user, false, origin),
      { delete: totpKey(userId), if: allOf(PRESENT, ...isUnused) },
    ];
    try {
      await inSession(origin, writes, (all) => this.#audit.transact(all, event));
    } catch (error) {
      throw error instanceof TransactionCanceled ? changedMeanwhile() : error;
    }
    await proof.attempt.succeeded();
  }

  /**
   * Replaces the recovery codes, used and unused.
   * @returns the new ones, which are shown only this once
   * @throws {Conflict} there is no second factor
   * @throws {WrongCredentials | TooManyAttempts}
   */
  async renewRecoveryCodes(
    userId: UserId,
    submitted: { readonly password: string; readonly totp: string },
    origin: AuditOrigin,
  ): Promise<readonly string[]> {
    await this.#checkEnabled(userId);
    const { writes, attempt } = await this.#credentials.ofUser(userId, submitted, origin);
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
      const counted = { ...event, after: { codes: codes.length } };
      await inSession(origin, renewed, (all) => this.#audit.transact(all, counted));
    } catch (error) {
      throw error instanceof TransactionCanceled ? wrongCodeAgain() : error;
    }
    await attempt.succeeded();
    return codes;
  }

  async #user(userId: UserId): Promise<StoredUser> {
    const user = await this.#ports.table.get<StoredUser>(userKey(userId), { consistent: true });
    if (user === undefined) throw noSuchUser();
    return user;
  }

  async #checkEnabled(userId: UserId): Promise<void> {
    if ((await this.#user(userId)).totpEnabled !== true) throw new Conflict('There is no second factor.');
  }

  /** Enqueues the notice of a change and returns the write that makes it. */
  async #userUpdate(user: StoredUser, totpEnabled: boolean, { source }: AuditOrigin): Promise<Update> {
    const { clock, ids } = this.#ports;
    const { userId } = user;
    const totpChange = ids.next();
    const mail = totpEnabled ? 'totp-enabled' : 'totp-disabled';
    const request = { requestId: totpChange, requestedAt: clock.now() };
    await enqueueSecurityNotice(this.#ports, { mail, ...request, userId, source });
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
