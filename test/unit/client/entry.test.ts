/** A client's entry as text: what is known again, and what is not. */

import { describe, expect, it } from 'vitest';
import { defaultsOf } from '../../../src/base/setting.ts';
import { entryText, isSame, settingsIn } from '../../../src/client/entry.ts';
import { type ClientSettings, clientMenu } from '../../../src/client/settings.ts';
import { Password } from '../../../src/ppp/auth/password.ts';

const plain: ClientSettings = {
  ...defaultsOf(clientMenu),
  name: 'out',
  connectTo: { hostName: 'vpn.example' },
  user: 'anna',
  password: new Password('Geheim?1'),
  keepaliveTimeout: 'disabled',
  allow: ['chap', 'mschap2'],
  disabled: false,
};

describe('an entry', () => {
  it('is the same as one that says the same, and another if any property is', () => {
    expect(isSame(entryText(plain), entryText({ ...plain, password: new Password('Geheim?1') }))).toBe(true);
    const changes: Partial<ClientSettings>[] = [
      { connectTo: { hostName: 'vpn2.example' } },
      { connectTo: undefined },
      { password: new Password('geheim?1') },
      { keepaliveTimeout: 60_000 },
      { allow: ['mschap2'] },
      { comment: 'x' },
    ];
    for (const change of changes)
      expect(isSame(entryText(plain), entryText({ ...plain, ...change }))).toBe(false);
  });

  it('is told whole but for its secret', () => {
    const text = entryText(plain);
    expect(settingsIn(text)).toEqual({ ...plain, password: new Password('') });
    expect(JSON.stringify([...text])).not.toContain('Geheim');
  });

  it('of a release that knew fewer properties, or more, is known again', () => {
    const text = entryText(plain);
    const older = new Map([...text].filter(([key]) => key !== 'dialOnDemand'));
    const newer = new Map([...text, ['colour', 'green']]);
    for (const other of [older, newer]) {
      expect(isSame(text, other)).toBe(true);
      expect(settingsIn(other)).toEqual(settingsIn(text));
    }
    expect(isSame(entryText({ ...plain, dialOnDemand: true }), older)).toBe(false);
  });

  it('that says what is no value here has the default there, and is another', () => {
    const text = new Map([...entryText(plain), ['maxMtu', 'as large as may be']]);
    expect(settingsIn(text).maxMtu).toBe(plain.maxMtu);
    expect(isSame(entryText(plain), text)).toBe(false);
  });
});
