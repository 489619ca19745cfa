import { describe, expect, it } from 'vitest';
import { menus } from '../../../src/config/configuration.ts';
import { ScriptFault } from '../../../src/config/fault.ts';
import { Store } from '../../../src/config/store.ts';
import { blocksOf, describeTree } from './vectors.ts';

function faultOf(act: () => unknown): ScriptFault {
  try {
    act();
  } catch (fault) {
    if (fault instanceof ScriptFault) return fault;
    throw fault;
  }
  throw new Error('no fault');
}

describe('a script', () => {
  it.each(blocksOf('config-script.txt'))('$law', ({ script, expected }) => {
    const store = new Store(menus);

    const { tree } = store.proposeWhole([{ file: 'vector', text: script }]);

    expect(describeTree(tree)).toBe(expected);
  });

  it('may begin with a byte order mark, which moves no column', () => {
    const store = new Store(menus);

    const fault = faultOf(() => store.proposeWhole([{ file: 'vector', text: '\ufeff /foo' }]));

    expect(fault.at.column).toBe(3);
  });
});

describe('a mistake in a script', () => {
  it.each(blocksOf('config-faults.txt'))('$law', ({ script, expected }) => {
    const store = new Store(menus);

    const fault = faultOf(() => store.proposeWhole([{ file: 'vector', text: script }]));

    expect(`! ${fault.at.line}:${fault.at.column} ${fault.code} ${fault.wording}`).toBe(expected);
    expect(fault.hint).toMatch(/\.$/);
    expect(fault.message).toBe(`vector:${fault.at.line}:${fault.at.column}: ${fault.wording}`);
    expect(describeTree(store.current.tree)).toBe('');
  });

  it('says what a shortened name may be', () => {
    const store = new Store(menus);

    const menuFault = faultOf(() => store.proposeWhole([{ file: 'vector', text: '/interface pptp' }]));
    const text = '/interface pptp-server server set max=1400';
    const propertyFault = faultOf(() => store.proposeWhole([{ file: 'vector', text }]));

    expect(menuFault.hint).toBe('It may be pptp-server or pptp-client.');
    expect(propertyFault.hint).toBe('It may be max-mtu or max-mru.');
  });
});
