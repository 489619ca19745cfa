import { describe, expect, it } from 'vitest';
import { Refusal } from '../../../src/base/setting.ts';
import { clientMenu } from '../../../src/client/settings.ts';
import { serverMenu } from '../../../src/session/server-settings.ts';

const { kind } = serverMenu.settings.find(({ key }) => key === 'authentication') ?? {};
const allow = clientMenu.settings.find(({ key }) => key === 'allow')?.kind;

describe('authentication of the server', () => {
  it('takes EAP beside the others, and prints the weakest first', () => {
    const chosen = kind?.parse('eap,mschap2,pap');

    if (chosen === undefined || chosen instanceof Refusal) throw new Error('refused');
    expect(chosen).toEqual(['pap', 'mschap2', 'eap']);
    expect(kind?.format(chosen)).toBe('pap,mschap2,eap');
  });

  it('has no EAP for a client, which does not speak it', () => {
    expect(allow?.parse('mschap2,eap')).toBeInstanceOf(Refusal);
  });
});
