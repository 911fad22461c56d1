import { describe, expect, it } from 'vitest';
import { Contacts } from '#shared/identity/contacts';
import type { UserId } from '#shared/model/user-id';
import { NotFound } from '#shared/platform/errors';
import { UserSettings } from '#shared/users/user-settings';
import { testOrigin, testPlatform } from '../../support/test-platform.ts';

const webhookUrl = 'https://hooks.example.com/alphapulse';

describe('the contact details of a user', () => {
  it('are the mail address and the webhook of the settings', async () => {
    const system = testPlatform();
    const userId = await system.user('ada@example.com');
    await new UserSettings(system.platform).change(userId, { webhookUrl }, testOrigin);
    const contact = await new Contacts(system.platform).of(userId);
    expect(contact).toEqual({ userId, email: 'ada@example.com', emailVerified: true, webhookUrl });
  });

  it('say that an address nobody proved to read is not verified, where mails leave the machine', async () => {
    const system = testPlatform({ users: { emailVerification: 'required' } });
    expect(await new Contacts(system.platform).of(await system.user())).toMatchObject({ emailVerified: false });
  });

  it('of nobody are not found', async () => {
    const contacts = new Contacts(testPlatform().platform);
    await expect(contacts.of('nobody' as UserId)).rejects.toBeInstanceOf(NotFound);
  });
});
